# One vocabulary, here and in CI: `make check` is everything.
.PHONY: check lint types contracts test coverage plain newest prereleases format screenshots docs slow supply lock audit sbom wheels

TOOLS = .envs/tools
WATCHED = ^(torch|mlflow|optuna|hydra-core|omegaconf)[ ]

check:
	$(MAKE) --no-print-directory --jobs=2 $(WHOLE_LINES) lint types contracts docs supply
	$(MAKE) --no-print-directory test

WHOLE_LINES = $(if $(filter output-sync,$(.FEATURES)),--output-sync)

lint:
	ruff format --check .
	ruff check .

types:
	mypy

contracts:
	lint-imports

test:
	python -m pytest --cov --cov-report=term --cov-fail-under=80

# Coverage of every test; `test` measures the first seconds of each file.
coverage:
	python -m pytest --cov --cov-report=term --cover-all

format:
	ruff format .
	ruff check --fix .

# Every picture of the README and the site, from real trainings and a real sweep: needs Chromium.
screenshots:
	python -m sweeps.list --remake
	python -m docs.pictures
	python -m docs.screenshots

# The site, with every link checked, into site/ (extra `docs`); `mkdocs serve` shows it.
docs:
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

slow:
	python -m pytest -m slow

# The suite without what exists for speed only: it must pass both ways.
plain:
	SWEEPS_PLAIN=1 python -m pytest

# The suite with the newest releases that pyproject.toml allows, in an environment of its own.
newest:
	python -m venv --clear .envs/newest
	.envs/newest/bin/pip install --quiet --upgrade -e '.[dev]'
	.envs/newest/bin/pip list | grep -iE '$(WATCHED)'
	.envs/newest/bin/python -m pytest
	$(MAKE) prereleases

# A report: what fails with the releases of Hydra to come. Needs the environment of `newest`.
prereleases:
	-.envs/newest/bin/pip install --quiet --pre --upgrade 'hydra-core>=1.4.0rc0' 'omegaconf>=2.4.0rc0'
	.envs/newest/bin/pip list | grep -iE '$(WATCHED)'
	-.envs/newest/bin/python -m pytest -q --tb=line -W default

# Known holes in what is locked, where the service that knows them can be reached; and its contents.
supply: $(TOOLS)/made sbom
	$(TOOLS)/bin/python .ci/audit

# What belongs to a release: see docs/release.md. Its tools have an environment of their own.
$(TOOLS)/made:
	python -m venv --clear $(TOOLS)
	$(TOOLS)/bin/pip install --quiet uv pip-audit cyclonedx-bom
	touch $@

# requirements.lock: the versions of constraints.txt, with the hashes of their files.
lock: $(TOOLS)/made
	{ echo '# The versions of constraints.txt with the hashes of their files: `make lock` writes it.'; \
	  echo '# pip install --require-hashes -r requirements.lock'; \
	  $(TOOLS)/bin/uv pip compile pyproject.toml --extra dev -c constraints.txt --generate-hashes \
	    --python-version 3.11.5 --no-header --no-annotate --quiet; } > requirements.lock.new
	mv requirements.lock.new requirements.lock

# Known holes in what is locked; fails where one is known, or where it could not look.
audit: $(TOOLS)/made
	$(TOOLS)/bin/python .ci/audit --strict

# A list of what is locked, in CycloneDX's format, in dist/.
sbom: $(TOOLS)/made
	mkdir -p dist
	$(TOOLS)/bin/cyclonedx-py requirements requirements.lock --no-validate -o dist/sbom.json

# The wheel in empty environments, with the oldest and the newest releases that pyproject.toml allows.
wheels:
	.ci/wheels
