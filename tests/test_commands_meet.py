"""Commands that meet at one sweep: refused ones, interrupted ones, several at once."""

import json
import os
import re
import shlex
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crashsafe.locks import file_lock

STUDY = "hydra.sweeper.study_name=mine"
SHORT = ("epochs=4", "task.n=40", "tracking=none", "hydra.sweeper.sampler.seed=1")
JUDGING = ("verdict.plots=false", "verdict.finalists=1", "verdict.selection=1", "verdict.fresh=2")
SWEEP = ("-m", "scheduler=exponential", *SHORT, *JUDGING)
OTHERS = (  # and what is said of each
    (("task.noise=1.0",), "task.noise was 0.2, is 1.0"),
    (("seeds=2",), "seeds was 1, is 2"),
    (("optimizer=adam",), "optimizer was sgd, is adam"),
    (("optimizer.lr=interval(0.1,0.2)",), "optimizer.lr was tag(log"),
    (("typo=1",), "unknown key typo"),
    (("hydra.sweeper.direction=maximize",), "hydra.sweeper.direction=maximize"),
    (("task.noise=0.1,0.5",), "task.noise=0.1,0.5"),
)

Run = Callable[..., Any]


def files(folder: Path) -> dict[str, Any]:
    paths = [p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(("-shm", "-wal"))]
    return {str(p): rows(p) if p.suffix == ".db" else p.read_bytes() for p in paths}


def rows(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as opened:
        return list(opened.iterdump())


def verdict(folder: Path) -> Any:
    return json.loads((folder / "mlruns/studies/mine/artifacts/verdict.json").read_text())


def test_a_refused_command_changes_nothing_of_a_finished_sweep(command: Run, home: Path) -> None:
    command(*SWEEP, STUDY, "hydra.sweeper.n_trials=2").check_returncode()
    before = files(home)
    for words, said in OTHERS:
        done = command(*SWEEP, STUDY, "hydra.sweeper.n_trials=3", *words)
        assert done.returncode == 2, (words, done.stderr)
        assert said in done.stderr
        assert "Traceback" not in done.stderr
        assert files(home) == before


def test_what_no_loss_depends_on_may_change(command: Run, home: Path) -> None:
    command(*SWEEP, STUDY, "hydra.sweeper.n_trials=1").check_returncode()
    words = ("device=cpu", "threads=2", "verdict.fresh=3", "tracking=mlflow")
    done = command(*SWEEP, STUDY, "hydra.sweeper.n_trials=2", *words)
    assert done.returncode == 0, done.stderr
    assert verdict(home)["ranking"]["n_trials"] == 2


def test_a_refused_command_leaves_a_running_and_a_killed_sweep_alone(
    command: Run, start: Run, wait_for: Run, home: Path
) -> None:
    words = ("-m", "scheduler=exponential", *SHORT[1:], *JUDGING, STUDY)
    process = start(*words, "epochs=200000", "hydra.sweeper.batch_size=1")
    run = home / "mlruns/studies/mine/run.json"
    wait_for(lambda: any((home / "mlruns/jobs").rglob("history.csv")))
    before = run.read_bytes()
    owner = int(json.loads(before)["owner"].split(":")[-2])
    refused = (*words, "epochs=200000", "task.noise=1.0")
    assert command(*refused).returncode == 2
    assert run.read_bytes() == before
    os.kill(owner, signal.SIGKILL)
    process.communicate()
    assert command(*refused).returncode == 2
    assert run.read_bytes() == before
    assert not (run.parent / "finalists").exists()


def test_an_interrupted_review_is_made_again_without_training_again(
    command: Run, home: Path
) -> None:
    artifacts = home / "mlruns/studies/mine/artifacts"
    command(*SWEEP, STUDY, "hydra.sweeper.n_trials=1").check_returncode()
    (artifacts / "verdict.md").rename(artifacts / "kept")
    (artifacts / "verdict.md").mkdir()  # the files of the next review cannot all be written
    assert command(*SWEEP, STUDY, "hydra.sweeper.n_trials=2").returncode == 1
    finalists = files(artifacts.parent / "finalists")
    (artifacts / "verdict.md").rmdir()
    command(*SWEEP, STUDY, "hydra.sweeper.n_trials=2").check_returncode()
    assert verdict(home)["ranking"]["n_trials"] == 2
    assert (artifacts / "verdict.md").stat().st_size > 0
    assert files(artifacts.parent / "finalists") == finalists


def test_the_second_of_two_commands_waits_and_prints_the_verdict_of_the_first(
    command: Run, start: Run, home: Path
) -> None:
    first = command(*SWEEP, STUDY, "hydra.sweeper.n_trials=2")
    sweep = home / "mlruns/studies/mine"
    finalists = files(sweep / "finalists")
    file = sweep / "artifacts/verdict.json"
    text = file.read_text()
    file.unlink()
    with file_lock(sweep / ".judging.lock"):  # as the first has it while it judges
        second = start(*SWEEP, STUDY, "hydra.sweeper.n_trials=2")
        said = iter(second.stderr.readline, "")
        assert any("another command is evaluating this sweep" in line for line in said)
        file.write_text(text)
    out, err = second.communicate(timeout=200)
    assert second.returncode == 0, err
    assert re.findall("^use .*", out, re.MULTILINE) == re.findall(
        "^use .*", first.stdout, re.MULTILINE
    )
    assert files(sweep / "finalists") == finalists


def goes_on(line: str, text: str) -> list[str]:
    (found,) = re.findall(f"{line}: (.*)", text)
    python, _, module, *words = shlex.split(found)
    assert (python, module) == ("python", "sweeps")
    return words


def test_the_command_that_goes_on_names_the_study_and_the_folder_of_own_files(
    command: Run, home: Path
) -> None:
    (home / "own/scheduler").mkdir(parents=True)
    (home / "own/scheduler/mine.yaml").write_text(
        "_target_: torch.optim.lr_scheduler.ExponentialLR\ngamma: 0.9\nstep_every: epoch\n"
        "search: {gamma: 'interval(0.5, 0.99)'}\n"
    )
    words = ("--config-dir", "own", "-m", "scheduler=mine", *SHORT, "verdict.finalists=0")
    done = command(*words, "verdict.plots=false", "hydra.sweeper.n_trials=1")
    assert done.returncode == 0, done.stderr
    (sweep,) = (home / "mlruns/studies").iterdir()
    run = json.loads((sweep / "run.json").read_text())
    again = goes_on("continue with", command(sweep.name, module="sweeps.report").stdout)
    assert f"resume with: {run['tags'].pop('command')}" in done.stdout
    (sweep / "run.json").write_text(json.dumps(run))  # as older versions left it
    older = goes_on("continue with", command(sweep.name, module="sweeps.report").stdout)
    for number, line in enumerate((again, older), 2):
        done = command(*line, f"hydra.sweeper.n_trials={number}")
        assert done.returncode == 0, done.stderr
        assert f"study {sweep.name}: {number} trials" in done.stdout
    assert len(list((home / "mlruns/studies").iterdir())) == 1


def test_a_sweep_that_went_on_is_judged_by_the_command_of_its_report(
    command: Run, home: Path
) -> None:
    command(*SWEEP, STUDY, "hydra.sweeper.n_trials=1").check_returncode()
    command(*SWEEP, STUDY, "verdict.finalists=0", "hydra.sweeper.n_trials=2").check_returncode()
    report = command("mine", module="sweeps.report").stdout
    done = command(*goes_on("since this verdict; update it with", report))
    assert done.returncode == 0, done.stderr
    assert verdict(home)["ranking"]["n_trials"] == 2
    assert "has changed since" not in command("mine", module="sweeps.report").stdout


def test_a_number_as_a_study_s_name_is_judged_too(command: Run, home: Path) -> None:
    name = "20261125"
    done = command(*SWEEP, f"hydra.sweeper.study_name={name}", "hydra.sweeper.n_trials=1")
    assert done.returncode == 0, done.stderr
    assert "\nuse exponential" in done.stdout
    assert command(module="sweeps.report").stdout.split() == ["study", name]


@pytest.mark.parametrize("name", ["学" * 40, ".."])
def test_any_name_of_a_study_has_a_folder_of_its_own(command: Run, home: Path, name: str) -> None:
    words = (f"hydra.sweeper.study_name='{name}'", "hydra.sweeper.n_trials=1")
    done = command(*SWEEP, *words)
    assert done.returncode == 0, done.stderr
    assert len(list((home / "mlruns/studies").iterdir())) == 1
    assert command(name, module="sweeps.report").stdout.startswith("use exponential ")
