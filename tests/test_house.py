"""The rules of the layout: what a newcomer may rely on when looking for something."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LIBRARIES = ("crashsafe", "lrlab", "optuna_families")
SOURCES = [ROOT / "sweeps", *(ROOT / "src" / name for name in LIBRARIES)]
SHELLS = ROOT / "src" / "hydra_plugins"
SAME_NAME = {"__init__", "__main__", "base", "config"}  # each package may have one
MOST = 10  # modules in a package, its `__init__` left out


def modules() -> Iterator[Path]:
    for source in SOURCES:
        yield from source.rglob("*.py")


def packages() -> list[Path]:
    return sorted({path.parent for path in modules() if path.name == "__init__.py"})


def test_no_module_name_stands_twice() -> None:
    names = Counter(path.stem for path in modules() if path.stem not in SAME_NAME)
    assert [name for name, number in names.items() if number > 1] == []


def test_no_public_class_name_stands_twice() -> None:
    names = Counter(
        node.name
        for path in modules()
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, number in names.items() if number > 1] == []


@pytest.mark.parametrize("package", packages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_package_is_small_and_has_a_tour(package: Path) -> None:
    files = [path for path in package.glob("*.py") if path.stem not in ("__init__", "__main__")]
    assert len(files) <= MOST
    readme = package / "README.md"
    tour = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8")))
    text = readme.read_text(encoding="utf-8") if readme.exists() else tour or ""
    assert all(path.stem in text for path in files), "the tour names every module"
    if not readme.exists():
        assert len(text.splitlines()) <= 60


def test_the_map_for_contributors_names_what_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    places = re.findall(r"`((?:src|sweeps|tests)/[\w/.]+)`", text)
    assert len(places) > 10
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_hydra_scans_three_files_of_a_plugin() -> None:
    """Hydra imports every module below `hydra_plugins` in every program."""
    assert {path.name for path in (SHELLS / "optuna_families").glob("*.py")} == {
        "__init__.py",
        "config.py",
        "sweeper.py",
    }
