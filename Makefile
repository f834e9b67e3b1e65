# One vocabulary, here and in CI: `make check` is everything.
.PHONY: check lint types contracts test format screenshots slow

check: lint types contracts test

lint:
	ruff format --check .
	ruff check .

types:
	mypy

contracts:
	lint-imports

test:
	python -m pytest --cov --cov-report=term --cov-fail-under=80

format:
	ruff format .
	ruff check --fix .

# The README's pictures, from a real sweep: needs Chromium and two minutes.
screenshots:
	python -m docs.screenshots

slow:
	python -m pytest -m slow
