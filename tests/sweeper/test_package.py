"""The plugin in programs that do not sweep, and the packages it must not import."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import hydra_plugins
import hydra_plugins.hydra_optuna_sweeper as official
import hydra_plugins.optuna_families as package

FOREIGN = ("torch", "mlflow", "lrlab", "sweeps", "sklearn")


def test_the_namespace_has_no_init_file() -> None:
    assert not hasattr(hydra_plugins, "__file__") or hydra_plugins.__file__ is None


def test_the_public_names() -> None:
    assert package.__all__ == [
        "SweepFailed",
        "all_trials",
        "finished_trials",
        "importances",
        "in_batches",
        "lost_output",
        "override",
        "protect_output",
        "read_sweep",
        "report",
        "sweeps",
        "worker_number",
    ]


def test_hydra_s_scan_imports_nothing_large() -> None:
    code = (
        "import sys; from hydra.core.plugins import Plugins; Plugins.instance(); "
        "print([m for m in ('optuna', 'sqlalchemy', 'rich') if m in sys.modules])"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.strip() == "[]"


def test_the_official_names_import_nothing_large() -> None:
    code = (
        "import sys; from hydra_plugins.hydra_optuna_sweeper import config, optuna_sweeper; "
        "print([m for m in ('optuna', 'sqlalchemy', 'rich') if m in sys.modules])"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.strip() == "[]"


@pytest.mark.parametrize(
    "file",
    sorted(file for p in (package, official) for file in Path(p.__path__[0]).glob("*.py")),
    ids=lambda f: f"{f.parent.name}/{f.name}",
)
def test_a_module_knows_neither_torch_nor_mlflow_nor_the_app(file: Path) -> None:
    words = [line.split() for line in file.read_text().splitlines()]
    imported = [w[1].split(".")[0] for w in words if len(w) > 1 and w[0] in ("import", "from")]
    assert set(imported).isdisjoint(FOREIGN)


@pytest.mark.cold
def test_a_sweep_ends_with_results_where_warnings_are_errors(folder: Path, run: Any) -> None:
    done = run("hydra.sweeper.n_trials=1", "hydra.sweep.dir=out", PYTHONWARNINGS="error")
    assert done.returncode == 0, done.stderr
    assert (folder / "out/optimization_results.yaml").exists()
