"""Workers under every launcher fill the same study."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from hydra_plugins.optuna_families import finished_trials

STORAGE = "sqlite:///mlruns/optuna.db"
pytestmark = pytest.mark.cold  # a launcher starts the interpreter itself


def installed(name: str) -> Any:
    missing = importlib.util.find_spec(f"hydra_plugins.hydra_{name}_launcher") is None
    return pytest.mark.skipif(missing, reason=f"hydra-{name}-launcher is not installed")


LAUNCHERS = [
    "basic",
    pytest.param("joblib", marks=installed("joblib")),
    pytest.param("submitit_local", marks=installed("submitit")),
    pytest.param("ray", marks=[installed("ray"), pytest.mark.ray]),
]


@pytest.mark.parametrize("together", [pytest.param(1, marks=pytest.mark.slow), 6])
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_every_launcher_runs_all_families_to_the_end_and_prunes(
    folder: Path, run: Any, launcher: str, together: int
) -> None:
    done = run(
        "scheduler=glob(*)",
        "hydra.sweeper.study_name=s",
        "hydra.sweeper.n_trials=4",
        "hydra/sweeper/pruner=threshold",
        "hydra.sweeper.pruner.upper=1.6",  # cosine starts below that, exponential above
        f"seconds={0.1 * together}",
        f"together={together}",
        "hydra/sweeper/sampler=random",
        f"hydra/launcher={launcher}",
        *(["+hydra.launcher.ray.init.num_cpus=2"] if launcher == "ray" else []),
        RAY_DEDUP_LOGS="0",
    )
    assert done.returncode == 0, done.stderr
    found = finished_trials(STORAGE, "s")
    assert {family: len(trials) for family, trials in found.items()} == {
        f"scheduler={name}": 4 for name in ("cosine", "exponential", "none", "step")
    }
    trials = [t for family in found.values() for t in family]
    assert sorted(t.user_attrs["number"] for t in trials) == list(range(16))
    assert {t.state.name for t in trials} == {"COMPLETE", "PRUNED"}
    assert len({t.user_attrs["owner"] for t in trials}) == (1 if launcher == "basic" else 2)


@installed("joblib")
def test_workers_are_launched_again_after_one_is_killed(files: Any, run: Any) -> None:
    """joblib ends all workers when one is killed: what counts is what stands in the study."""
    files(
        {
            "conf/config.yaml": """
                defaults:
                  - override hydra/sweeper: optuna
                  - override hydra/launcher: joblib
                x: 1.0
            """,
            "app.py": """
                import os
                import signal
                import time
                from pathlib import Path

                import hydra

                @hydra.main(version_base="1.3", config_path="conf", config_name="config")
                def main(cfg):
                    time.sleep(1.0)  # the siblings must not finish it all before they are ended
                    try:
                        Path("killed").mkdir()
                    except FileExistsError:
                        return cfg.x
                    os.kill(os.getpid(), signal.SIGKILL)

                if __name__ == "__main__":
                    main()
            """,
        }
    )
    done = run("x=interval(0, 1)", "hydra.sweeper.study_name=s", "hydra.sweeper.n_trials=6")
    assert done.returncode == 0, done.stderr
    trials = finished_trials(STORAGE, "s")[""]
    assert len(trials) == 6
    # Once, or twice if a sibling had begun to make it good before it was ended itself.
    assert any(t.user_attrs.get("attempt") in (1, 2) for t in trials)


@installed("joblib")
def test_no_worker_waits_for_the_slowest_trial(files: Any, run: Any) -> None:
    files(
        {
            "conf/config.yaml": """
                defaults:
                  - override hydra/sweeper: optuna
                  - override hydra/launcher: joblib
                x: 1.0
            """,
            "app.py": """
                import time
                from hydra.core.hydra_config import HydraConfig
                import hydra

                @hydra.main(version_base="1.3", config_path="conf", config_name="config")
                def main(cfg):
                    time.sleep(3.0 if HydraConfig.get().job.num == 0 else 0.01)
                    return cfg.x

                if __name__ == "__main__":
                    main()
            """,
        }
    )
    done = run("x=interval(0, 1)", "hydra.sweeper.study_name=s", "hydra.sweeper.n_trials=10")
    assert done.returncode == 0, done.stderr
    slow, *others = finished_trials(STORAGE, "s")[""]
    assert all(t.datetime_start < slow.datetime_complete for t in others)
    assert Path(slow.user_attrs["folder"]).name == "0"
