"""An installed wheel works from an empty folder, with the config files inside it."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


def test_an_installed_wheel_makes_its_own_store_in_an_empty_folder(
    tmp_path: Path, command_env: dict[str, str]
) -> None:
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(installed)
    done = subprocess.run(
        [sys.executable, "-m", "sweeps", "scheduler=step", "epochs=100"],
        cwd=empty,
        env=command_env | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "lr        6.640349721896886e-06" in done.stdout
    assert {path.name for path in empty.iterdir()} == {"mlflow.db", "mlruns"}
    assert (installed / "sweeps" / "conf" / "scheduler" / "cosine.yaml").exists()
    assert (installed / "hydra_plugins" / "hydra_optuna_sweeper" / "optuna_sweeper.py").exists()
    where = subprocess.run(
        [sys.executable, "-c", "import sweeps, lrlab; print(sweeps.__file__, lrlab.__file__)"],
        cwd=empty,
        env=command_env | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert all(Path(path).is_relative_to(installed) for path in where)


def test_the_example_task_trains(tmp_path: Path, command_env: dict[str, str]) -> None:
    example = ROOT / "examples" / "own_task"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sweeps", "--config-dir", str(example / "conf")),
            *("task=moons", "scheduler=one_cycle", "scheduler.step_every=batch", "epochs=20"),
            "tracking=none",
        ],
        cwd=tmp_path,
        env=command_env | {"SWEEPS_PACKAGES": "moons", "PYTHONPATH": str(example)},
        capture_output=True,
        text=True,
        check=True,
    )
    loss = float(done.stdout.split("loss")[1].split()[0])
    assert loss < 0.5


def pinned(name: str) -> dict[str, str]:
    """Package -> version."""
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / name).read_text(), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in pins}


def required(project: dict[str, Any], extra: str = "") -> Iterator[Requirement]:
    """What the project or one of its extras requires, those of its own extras included."""
    lines = project["optional-dependencies"][extra] if extra else project["dependencies"]
    for found in map(Requirement, lines):
        if found.name == project["name"]:
            for inner in found.extras:
                yield from required(project, inner)
        else:
            yield found


def test_the_lock_has_the_versions_that_were_tested() -> None:
    lock, tested = pinned("requirements.lock"), pinned("constraints.txt")
    both = lock.keys() & tested.keys()  # the one has a GPU's libraries, the other more extras
    assert {name: lock[name] for name in both} == {name: tested[name] for name in both}
    assert len(both) > 0.8 * len(lock)


def test_the_lock_has_all_that_the_project_requires() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = pinned("requirements.lock")
    for found in (*required(project), *required(project, "dev")):
        assert found.specifier.contains(lock[canonicalize_name(found.name)]), found


def test_every_file_of_the_lock_has_its_hash() -> None:
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert len(lines) == len(pinned("requirements.lock"))
    pin = r"[\w.-]+==[^\s;]+( ;[^-]*)?(\s+--hash=sha256:[0-9a-f]{64})+\s*"
    assert [line for line in lines if not re.fullmatch(pin, line)] == []


REPORTS = {  # what pip-audit prints, and the exit codes of a check and of a release
    "a hole": (
        '{"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]}',
        1,
        1,
    ),
    "no hole": ('{"name": "a", "version": "1", "vulns": []}', 0, 0),
    "nothing known": ('{"name": "a", "skip_reason": "not found"}', 0, 1),
    "nobody there": ("", 0, 1),
}


@pytest.mark.parametrize("name", REPORTS)
def test_the_audit_fails_where_a_hole_is_known(tmp_path: Path, name: str) -> None:
    one, checked, released = REPORTS[name]
    said = f"print({json.dumps({'dependencies': [json.loads(one)]})!r})" if one else ""
    (tmp_path / "pip_audit.py").write_text(said or "raise SystemExit('Connection refused')")
    for words, code in (([], checked), (["--strict"], released)):
        run = [sys.executable, ROOT / ".ci/audit", *words]
        done = subprocess.run(
            run, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (code, "")
        assert done.stdout.startswith("audit: ")
