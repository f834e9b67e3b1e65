"""The official plugin's other examples: grid, two objectives, custom_search_space."""

import os
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

GRID = """
    defaults:
      - override hydra/sweeper: optuna
      - override hydra/sweeper/sampler: grid
    hydra:
      sweeper:
        direction: minimize
        study_name: sphere
        storage: null
        n_trials: 20
        n_jobs: 1
        params:
          x: choice(-1, 1)
          y: range(-1.0, 1.0, step=1)
          z: choice("foo", "bar")
    x: 1
    y: 1
    z: foo
"""
TWO_GOALS = {
    "conf/config.yaml": """
        defaults:
          - override hydra/sweeper: optuna
          - override hydra/sweeper/sampler: nsgaii
        hydra:
          sweeper:
            sampler:
              seed: 123
            direction: [minimize, minimize]
            study_name: multi-objective
            storage: null
            n_trials: 20
            n_jobs: 1
            params:
              x: range(0, 5, step=0.5)
              y: range(0, 3, step=0.5)
        x: 1
        y: 1
    """
}
CUSTOM = {
    "conf/config.yaml": """
        defaults:
          - override hydra/sweeper: optuna
        hydra:
          sweeper:
            sampler:
              seed: 123
            study_name: custom-search-space
            storage: null
            n_trials: 20
            n_jobs: 1
            params:
              x: range(-5.5, 5.5, 0.5)
              y: choice(-5, 0, 5)
            custom_search_space: custom-app.configure
        x: 1
        y: 1
        z: 100
        max_z_difference_from_x: 0.5
    """,
    "custom-app.py": """
        import hydra

        @hydra.main(version_base="1.3", config_path="conf", config_name="config")
        def sphere(cfg):
            return cfg.w**2 + cfg.x**2 + cfg.y**2 + cfg.z**2

        def configure(cfg, trial):
            x = trial.params["x"]
            near = cfg.max_z_difference_from_x
            trial.suggest_float("z", x - near, x + near)
            trial.suggest_float("+w", 0.0, 1.0)

        if __name__ == "__main__":
            sphere()
    """,
}


def sphere(cfg: Any) -> float:
    return float(cfg.x**2 + cfg.y**2)


def two_goals(cfg: Any) -> tuple[float, float]:
    return 4 * cfg.x**2 + 4 * cfg.y**2, (cfg.x - 5) ** 2 + (cfg.y - 5) ** 2


@pytest.mark.parametrize("n_trials", [20, 10, 1])
def test_a_grid_visits_its_points(files: Any, sweep: Any, n_trials: int) -> None:
    files({"conf/config.yaml": GRID})
    seen: list[Any] = []

    def task(cfg: Any) -> float:
        seen.append((cfg.x, cfg.y, cfg.z))
        return sphere(cfg)

    sweep(task, "hydra.sweep.dir=out", f"hydra.sweeper.n_trials={n_trials}")
    found: Any = OmegaConf.load("out/optimization_results.yaml")
    assert len(seen) == len(set(seen)) == min(n_trials, 8)
    assert found.best_params.x in (-1, 1)
    assert found.best_params.y in (-1, 0)
    assert found.best_params.z in ("foo", "bar")
    if n_trials == 20:
        assert (found.best_value, found.best_params.y) == (1, 0)


@pytest.mark.parametrize("typed", [True, False])
def test_no_solution_of_two_objectives_dominates_another(
    files: Any, sweep: Any, typed: bool
) -> None:
    files(TWO_GOALS)
    lines = ["x=range(0, 5)", "y=range(0, 3)"] if typed else []
    sweep(two_goals, "hydra.sweep.dir=out", "hydra/sweeper/sampler=random", *lines)
    found: Any = OmegaConf.load("out/optimization_results.yaml")
    values = [tuple(s["values"]) for s in found.solutions]
    assert found.name == "optuna"
    assert all(s.params[k] % (1 if typed else 0.5) == 0 for s in found.solutions for k in "xy")
    assert not any(a != b and a[0] <= b[0] and a[1] <= b[1] for a in values for b in values)


def test_custom_search_space_adds_parameters(files: Any, run: Any) -> None:
    files(CUSTOM)
    lines = ["hydra/sweeper/sampler=random", "hydra.sweep.dir=out", "max_z_difference_from_x=0.3"]
    done = run(*lines, app="custom-app.py", PYTHONPATH=_path_with_here())
    assert done.returncode == 0, done.stderr
    best: Any = OmegaConf.load("out/optimization_results.yaml").best_params
    assert abs(best["x"] - best["z"]) <= 0.3
    assert 0 <= best["+w"] <= 1


def _path_with_here() -> str:
    return os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))
