"""Every command, link and picture of README and site works."""

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from hydra_plugins.optuna_families.config import SWEEPER
from sweeps.listing.catalogue import groups
from sweeps.runs.run_spec import prepare

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# A UI has processes of its own, which start cold.
PYTHON = """#!/bin/sh
case "$*" in *sweeps.ui*) exec "{cold}" "$@" ;; *) exec "{warm}" "$@" ;; esac
"""
FIRST_STEPS = ("python3.11", "export", "cd")
OTHER_MACHINES = "scale_out"  # a page that wants a database and a server


def blocks(page: Path) -> list[str]:
    found = re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    return [block.replace("\\\n", " ") for block in found]  # a line that goes on in the next one


def commands() -> Iterator[tuple[str, list[str]]]:
    """Module and arguments of every command in a block or, in the text, in backquotes."""
    for page in PAGES:
        text = page.read_text("utf-8")
        found = [line for block in blocks(page) for line in block.splitlines()]
        found += re.findall(r"`((?:\w+=\S+ )?python -m sweeps[^`]*)`", text.replace("\n", " "))
        for line in found:
            for part in line.split("&&"):
                words = shlex.split(part, comments=True)
                if "sweeps" in " ".join(words) and "-m" in words and "..." not in words:
                    at = words.index("-m")
                    yield words[at + 1], words[at + 2 :]


ALL = sorted({(module, tuple(words)) for module, words in commands() if "NAME" not in str(words)})


@pytest.mark.parametrize(("module", "words"), ALL, ids=lambda value: " ".join(value)[:70])
def test_every_command_is_one_that_works(
    module: str, words: tuple[str, ...], compose: Callable[..., DictConfig]
) -> None:
    if module != "sweeps":
        importlib.import_module(module)._parser().parse_args(words)
        return
    for key in re.findall(r"hydra\.sweeper\.(\w+)=", " ".join(words)):
        assert key in SWEEPER
    own = [word for word in words if not word.startswith(("-", "hydra")) and "=" in word]
    if "--config-dir" not in words:
        prepare(compose(*(first for word in own if (first := _first(word)))))


def _first(word: str) -> str | None:
    """An override with the first of its values; None for a range or a pattern of names."""
    parsed = OverridesParser.create().parse_override(word)
    if not parsed.is_sweep_override():
        return word
    values = getattr(parsed.value(), "list", None)
    return f"{parsed.key_or_group}={values[0]}" if values else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_picture_is_there(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target and "reference/" not in target:
            assert (page.parent / target).exists(), target


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    nav = (ROOT / "mkdocs.yml").read_text("utf-8")
    pages = [page.relative_to(ROOT / "docs").as_posix() for page in PAGES[1:]]
    assert [page for page in pages if f": {page}\n" not in nav] == []


def test_every_schedule_has_its_picture() -> None:
    pictures = {path.stem for path in (ROOT / "docs" / "images" / "curves").glob("*.png")}
    assert {option.name for option in groups()["scheduler"]} <= pictures


def test_the_readme_is_one_screen() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 70


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_run_one_after_the_other(
    page: Path, tmp_path: Path, command_env: dict[str, str], warm: str
) -> None:
    """With fewer trials and epochs; a UI is shown for some seconds."""
    if OTHER_MACHINES in page.name:
        pytest.skip("needs a database and a server")
    for name in ("examples", "conf"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text(PYTHON.format(warm=warm, cold=sys.executable))
    python.chmod(0o755)
    env = command_env | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    lines = [line for block in blocks(page) for line in block.splitlines()]
    script = "\n".join(_shortened(line) for line in lines)
    done = subprocess.run(
        ["bash", "-ec", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def _shortened(line: str) -> str:
    line = re.sub(r"^python3\.11 .* pip install \S*.*?(&& (?=python)|$)", "", line)
    line = re.sub(r"n_trials=\d+", "n_trials=2", line)
    if re.search(r"sweeps\.ui", line):
        return f"timeout -s INT 60 {line} --no-open || test $? = 124"
    if " -m sweeps -m " in line:
        short = "" if "n_trials" in line or "basic" in line else "hydra.sweeper.n_trials=2"
        return f"{line} {short} epochs=2 verdict.fresh=2 verdict.finalists=1"
    return line
