"""Ctrl-C and SIGTERM: once stops the running trials, twice ends the process."""

import importlib.util
import os
import re
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from optuna.exceptions import StorageInternalError
from rich.console import Console

from hydra_plugins.optuna_families import finished_trials, in_batches
from optuna_families.progress.watcher import Progress

STORAGE = "sqlite:///mlruns/optuna.db"
LINES = ("hydra.sweeper.study_name=s", "hydra.sweeper.n_trials=6", "hydra.sweep.dir=out")
COLD = pytest.mark.cold  # this launcher starts the interpreter itself
JOBLIB = pytest.mark.skipif(
    importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is None,
    reason="hydra-joblib-launcher is not installed",
)


def wait_for(file: str) -> None:
    for _ in range(600):
        if Path(file).exists():
            return
        time.sleep(0.1)
    raise TimeoutError(file)


@pytest.mark.parametrize("launcher", ["basic", pytest.param("joblib", marks=[JOBLIB, COLD])])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_sweep_and_it_can_be_resumed(
    folder: Path, command: Any, run: Any, trials: Any, launcher: str, number: Any, code: int
) -> None:
    process = command(*LINES, "seconds=20", f"hydra/launcher={launcher}")
    wait_for("out/0/.hydra/overrides.yaml")
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert "stopping: the running trials end now" in err
    assert out.splitlines()[-1].startswith("resume with: ")
    assert re.search("^all: 0/6 trials, [12] interrupted$", out, re.MULTILINE)
    assert "Traceback" not in err
    interrupted = trials("s")
    assert {t.state.name for t in interrupted} <= {"FAIL", "WAITING"}
    assert {t.user_attrs.get("reason") for t in interrupted} == {"interrupted", None}
    assert run(*LINES, "seconds=0").returncode == 0
    assert len(finished_trials(STORAGE, "s")[""]) == 6
    retried = {t.user_attrs["retry_of"] for t in trials("s") if "retry_of" in t.user_attrs}
    assert retried == {t.number for t in interrupted if t.state.name == "FAIL"}


def test_after_ctrl_c_ended_trials_of_a_batch_are_told_and_the_others_queued(
    folder: Path, command: Any, run: Any, trials: Any
) -> None:
    lines = (*LINES, "together=6", "hydra.sweeper.batch_size=6")
    process = command(*lines, "seconds=4")  # a second for each member
    wait_for("out/1/done")
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in err
    interrupted = trials("s")
    states = [t.state.name for t in interrupted]
    complete = states.count("COMPLETE")
    assert 2 <= complete <= 3
    assert states == ["COMPLETE"] * complete + ["FAIL"] * (6 - complete) + ["WAITING"] * (
        6 - complete
    )
    assert run(*lines).returncode == 0
    assert len(finished_trials(STORAGE, "s")[""]) == 6
    assert len(trials("s")) == len(interrupted)


def test_twice_stops_at_once(files: Any, command: Any) -> None:
    files(
        {
            "conf/config.yaml": """
                defaults:
                  - override hydra/sweeper: optuna
                x: 1.0
            """,
            "app.py": """
                import time
                from pathlib import Path
                import hydra

                @hydra.main(version_base="1.3", config_path="conf", config_name="config")
                def main(cfg):
                    Path("begun").touch()
                    try:
                        time.sleep(60)
                    finally:
                        time.sleep(60)

                if __name__ == "__main__":
                    main()
            """,
        }
    )
    process = command("x=interval(0, 1)", *LINES)
    wait_for("begun")
    for _ in range(2):
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=5)
    assert process.returncode == 130
    assert "stopped at once" in err


@JOBLIB
@COLD
def test_workers_end_with_the_process_that_started_them(
    folder: Path, command: Any, trials: Any
) -> None:
    process = command(*LINES, "seconds=30", "hydra/launcher=joblib")
    wait_for("out/0/.hydra/overrides.yaml")
    process.kill()
    process.wait()  # joblib's idle processes keep its pipes open for a while
    for _ in range(150):
        if {t.state.name for t in trials("s")} == {"FAIL", "WAITING"}:
            return
        time.sleep(0.1)
    raise AssertionError([t.state for t in trials("s")])


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_stop_while_a_trial_is_asked_for_keeps_it_from_running(
    files: Any, sweep: Any, trials: Any, monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    files({"conf/config.yaml": "defaults: [override hydra/sweeper: optuna]\nx: 1.0"})
    asked = []

    def stop(*_: Any) -> None:  # the first of a batch is asked for
        if not asked:
            os.kill(os.getpid(), signal.SIGINT)
        asked.append(1)

    monkeypatch.setitem(sys.modules, "stops", SimpleNamespace(now=stop))
    ran = []

    def together(jobs: Any) -> Any:
        for job in jobs:
            ran.append(job.number)
            yield job, 0.0

    @in_batches(together, size=lambda _: 3)
    def task(cfg: Any) -> float:
        ran.append(cfg.x)
        return 0.0

    lines = (*LINES, "x=interval(0, 1)", f"hydra.sweeper.batch_size={batch_size}")
    with pytest.raises(SystemExit, match="130"):
        sweep(task, *lines, "hydra.sweeper.custom_search_space=stops.now")
    assert ran == []
    assert {t.user_attrs.get("reason") for t in trials("s")} == {"interrupted", None}


class AwayAfterTheStart:
    """A study database that can be read once."""

    looked = False

    def all_counts(self) -> list[Any]:
        if self.looked:
            raise StorageInternalError("away")
        self.looked = True
        return []


def test_a_lost_database_does_not_hide_the_error_that_ended_the_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("optuna_families.storage.retry.PAUSES", ())
    plan: Any = SimpleNamespace(families=[])
    cache: Any = AwayAfterTheStart()
    with pytest.raises(ZeroDivisionError), Progress(plan, cache, Console(quiet=True)):
        raise ZeroDivisionError
