"""A trial is a Hydra job: folder, HydraConfig, logs and callbacks as a Hydra user expects."""

import logging
import os
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import OmegaConf

from hydra_plugins.optuna_families import in_batches

NAME = "hydra.sweeper.study_name=s"
LINES = (NAME, "hydra.sweep.dir=out", "hydra.sweeper.n_trials=2")


class Recorder(Callback):
    seen: ClassVar[list[Any]] = []

    def on_job_start(self, config: Any, **kwargs: Any) -> None:
        self.seen.append(("start", config.hydra.job.num))

    def on_job_end(self, config: Any, job_return: Any, **kwargs: Any) -> None:
        self.seen.append(("end", job_return._return_value))  # the property would raise it


@pytest.mark.usefixtures("both_ways")
def test_hydra_config_in_a_trial_equals_hydra_s_own(folder: Path, sweep: Any) -> None:
    seen: list[Any] = []

    def task(cfg: Any) -> float:
        hydra = HydraConfig.get()
        assert "hydra" not in cfg
        seen.append((hydra.job.num, hydra.job.id, Path(hydra.runtime.output_dir).name))
        seen.append((hydra.runtime.choices["scheduler"], list(hydra.overrides.task)))
        return float(cfg.optimizer.lr)

    sweep(task, *LINES, "scheduler=step", "hydra.sweeper.n_trials=1")
    assert seen[0] == (0, "0", "0")
    assert seen[1] == (
        "step",
        ["scheduler=step", "scheduler.gamma=0.5", "scheduler.step_size=3", "optimizer.lr=0.1"],
    )


@pytest.mark.usefixtures("both_ways")
def test_the_yaml_files_read_back_as_hydra_s_do(folder: Path, sweep: Any) -> None:
    seen: list[Any] = []
    sweep(lambda cfg: float(seen.append(cfg) or cfg.optimizer.lr), *LINES)
    config: Any = OmegaConf.load("out/1/.hydra/config.yaml")
    hydra: Any = OmegaConf.load("out/1/.hydra/hydra.yaml").hydra
    overrides = OmegaConf.load("out/1/.hydra/overrides.yaml")
    assert config == seen[1]
    assert hydra.overrides.task == overrides
    assert (hydra.job.num, hydra.job.id) == (1, "1")
    assert hydra.runtime.output_dir == str(Path("out/1").absolute())
    assert hydra.sweep.dir == str(Path("out").absolute())
    assert hydra.job.override_dirname == ",".join(sorted(overrides))
    assert hydra.mode == "MULTIRUN"


def test_each_trial_has_its_own_log(folder: Path, sweep: Any) -> None:
    def task(cfg: Any) -> float:
        logging.getLogger("app").info("trial %s speaks", HydraConfig.get().job.num)
        return 1.0

    sweep(task, *LINES)
    logs = [Path(f"out/{number}/app.log").read_text() for number in (0, 1)]
    assert ["trial 0 speaks" in logs[0], "trial 1 speaks" in logs[1]] == [True, True]
    assert "trial 1" not in logs[0]


def test_a_trial_may_run_in_its_folder(folder: Path, sweep: Any) -> None:
    before, seen = Path.cwd(), []

    def task(cfg: Any) -> float:
        seen.append((Path.cwd().name, os.environ["COLOUR"]))
        return 1.0

    sweep(task, *LINES, "hydra.job.chdir=true", "+hydra.job.env_set.COLOUR=red")
    assert seen == [("0", "red"), ("1", "red")]
    assert Path.cwd() == before
    assert "COLOUR" not in os.environ


def test_the_user_s_callbacks_see_trials_and_no_workers(folder: Path, sweep: Any) -> None:
    Recorder.seen.clear()
    target = f"{Recorder.__module__}.Recorder"
    sys.modules.setdefault(Recorder.__module__, sys.modules[__name__])
    sweep(lambda cfg: 1.0, *LINES, f"+hydra.callbacks.r._target_={target}")
    assert [what for what, _ in Recorder.seen] == ["start", "end", "start", "end"]


@pytest.mark.usefixtures("both_ways")
def test_the_user_s_callbacks_see_each_job_of_a_batch(folder: Path, sweep: Any) -> None:
    def together(jobs: list[Any]) -> Any:
        seen.append([what for what, _ in Recorder.seen])
        yield jobs[-1], 2.0
        yield jobs[0], ValueError("no luck") if len(jobs) == 3 else 3.0
        yield from ((job, 3.0) for job in jobs[1:-1])

    seen: list[list[str]] = []
    Recorder.seen.clear()
    target = f"{Recorder.__module__}.Recorder"
    sys.modules.setdefault(Recorder.__module__, sys.modules[__name__])
    task = in_batches(together, size=lambda cfg: 3)(lambda cfg: 1.0)
    lines = (NAME, "hydra.sweep.dir=out", "hydra.sweeper.n_trials=2")
    lines += ("hydra.sweeper.batch_size=3", "hydra.sweeper.max_failure_rate=0.9")
    sweep(task, *lines, "scheduler=cosine,step", f"+hydra.callbacks.r._target_={target}")
    assert seen[0] == ["start"] * 3
    began = [number for what, number in Recorder.seen if what == "start"]
    assert began == [0, 1, 2, 3, 4]
    ends = [value for what, value in Recorder.seen if what == "end"]
    assert [str(end) for end in ends] == ["2.0", "no luck", "3.0", "2.0", "3.0"]


def test_a_subdir_that_repeats_is_not_overwritten(folder: Path, sweep: Any) -> None:
    lines = ("hydra.sweep.subdir=same", "optimizer.lr=choice(0.1)", *LINES)
    sweep(lambda cfg: 1.0, *lines)
    assert sorted(p.name for p in Path("out").glob("same*")) == ["same", "same-1"]


def test_a_subdir_may_contain_the_trial_s_values(folder: Path, sweep: Any) -> None:
    sweep(lambda cfg: 1.0, *LINES, "hydra.sweep.subdir='${hydra.job.num}-${scheduler.T_max}'")
    assert (Path("out") / "0-10").is_dir()


@pytest.mark.usefixtures("both_ways")
def test_no_password_stands_in_a_job_s_folder(folder: Path, sweep: Any) -> None:
    lines = ("+note='postgresql://me:secret@db/x'", *LINES)
    sweep(lambda cfg: 1.0, *lines)
    texts = [p.read_text() for p in Path("out").rglob("*.yaml")]
    assert texts
    assert not any("secret" in text for text in texts)
    databases = list(folder.glob("mlruns/optuna.db*"))
    assert databases
    assert not any(b"secret" in path.read_bytes() for path in databases)
