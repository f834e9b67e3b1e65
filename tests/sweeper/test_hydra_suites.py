"""Hydra's own suite for sweepers, where it speaks of single jobs rather than of a grid's order."""

from pathlib import Path
from typing import Any

import pytest
from hydra.test_utils.launcher_common_tests import IntegrationTestSuite

DEFAULTS = {
    "defaults": [
        {"override hydra/sweeper": "optuna"},
        {"override hydra/hydra_logging": "hydra_debug"},
        {"override hydra/job_logging": "disabled"},
    ]
}


# The suite's apps return nothing, so their trials fail; what it looks at is their job.
FLAGS = [
    "-m",
    "hydra.sweeper.n_trials=1",
    "hydra.sweeper.storage=null",
    "hydra.sweeper.max_failure_rate=1",
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::hydra.errors.Hydra14MigrationWarning")
@pytest.mark.parametrize(
    ("task_launcher_cfg", "extra_flags"),
    [(DEFAULTS, FLAGS)],
)
class TestOptunaSweeperIntegration(IntegrationTestSuite):
    # It wants a second sweep to write into the folder of the first, which we never do.
    test_to_absolute_path_multirun = None  # type: ignore[assignment]


def test_sweeping_over_hydra_itself_is_refused(hydra_sweep_runner: Any, tmp_path: Path) -> None:
    from hydra.errors import HydraException

    runner = hydra_sweep_runner(
        calling_file=None,
        calling_module="hydra.test_utils.a_module",
        task_function=None,
        config_path="configs",
        config_name="compose.yaml",
        overrides=["hydra/sweeper=optuna", "+a=0,1", "hydra.verbose=true,false"],
        temp_dir=tmp_path,  # else Hydra makes a folder named None here
    )
    with pytest.raises(HydraException, match="Sweeping over Hydra's configuration"), runner:
        pass


def test_a_swept_group_may_have_no_default(files: Any, sweep: Any) -> None:
    files(
        {
            "conf/config.yaml": "defaults: [optimizer: '???', override hydra/sweeper: optuna]",
            "conf/optimizer/sgd.yaml": "name: sgd",
            "conf/optimizer/adam.yaml": "name: adam",
        }
    )
    seen = set()

    def task(cfg: Any) -> float:
        seen.add(cfg.optimizer.name)
        return 1.0

    sweep(task, "optimizer=sgd,adam", "hydra.sweeper.n_trials=1", "hydra.sweeper.storage=null")
    assert seen == {"sgd", "adam"}
