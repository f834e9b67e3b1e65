"""Ctrl-C and SIGTERM: once politely, twice at once."""

import importlib.util
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from hydra_plugins.optuna_families import finished_trials

STORAGE = "sqlite:///mlruns/optuna.db"
pytestmark = pytest.mark.cold  # a launcher starts the interpreter itself
LINES = ("hydra.sweeper.study_name=s", "hydra.sweeper.n_trials=6", "hydra.sweep.dir=out")
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


@pytest.mark.parametrize("launcher", ["basic", pytest.param("joblib", marks=JOBLIB)])
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
    assert "Traceback" not in err
    interrupted = trials("s")
    assert {t.state.name for t in interrupted} <= {"FAIL", "WAITING"}
    assert {t.user_attrs.get("reason") for t in interrupted} == {"interrupted", None}
    assert run(*LINES, "seconds=0").returncode == 0
    assert len(finished_trials(STORAGE, "s")[""]) == 6
    retried = {t.user_attrs["retry_of"] for t in trials("s") if "retry_of" in t.user_attrs}
    assert retried == {t.number for t in interrupted if t.state.name == "FAIL"}


def test_of_a_batch_what_has_ended_is_told_and_the_rest_is_tried_again(
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
