"""An installed wheel works from an empty folder, with the config files inside it."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

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
    pins = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in pins}


def test_the_lock_has_the_versions_that_were_tested_and_their_hashes() -> None:
    lock, tested = pinned("requirements.lock"), pinned("constraints.txt")
    both = lock.keys() & tested.keys()  # the one has a GPU's libraries, the other more extras
    assert {name: lock[name] for name in both} == {name: tested[name] for name in both}
    assert lock.keys() > {"torch", "hydra-core", "optuna", "mlflow"}
    parts = (ROOT / "requirements.lock").read_text().split("\n")
    assert sum("--hash=sha256:" in line for line in parts) >= len(lock)
