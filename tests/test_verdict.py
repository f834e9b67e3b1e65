"""What a sweep leaves behind: its own run, its trials, its finalists, and an answer."""

import json
import math
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from mlflow import MlflowClient

from sweeps.runs.run_spec import prepare
from sweeps.verdict.retrain import (
    FRESH,
    SELECTION,
    Budget,
    Candidate,
    evaluate,
    finalists,
    losses,
    reseeded,
    select,
)

STUDY = "hydra.sweeper.study_name=mine"
SHORT = ("epochs=8", "task.n=100", "task.batch_size=10")
JUDGING = ("verdict.finalists=2", "verdict.selection=3", "verdict.fresh=5")
SWEEP = ("-m", "scheduler=cosine,step,none", "hydra.sweeper.n_trials=4", STUDY, *SHORT, *JUDGING)
SWEEP += ("hydra.sweeper.sampler.seed=1", "optimizer.lr=tag(log,interval(0.02,0.2))")


def sweeps(python: str, folder: Path, *arguments: str, module: str = "sweeps") -> Any:
    return subprocess.run(
        [python, "-m", module, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.fixture(scope="module")
def swept(
    tmp_path_factory: pytest.TempPathFactory, warm: str, empty_database: Path
) -> tuple[Path, str]:
    """A sweep over three families, at its end; its folder and what it said."""
    folder = tmp_path_factory.mktemp("swept")
    shutil.copy(empty_database, folder)
    done = sweeps(warm, folder, *SWEEP)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def runs(folder: Path, role: str) -> list[Any]:
    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("linear_regression")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], f"tags.role = '{role}'"))


@pytest.mark.xdist_group("swept")
def test_the_answer_is_printed_with_a_family_a_row(swept: tuple[Path, str]) -> None:
    _, out = swept
    for name in ("cosine", "step", "none"):
        assert re.search(rf"^ *\d? *{name} ", out, re.MULTILINE), out
    assert re.search(r"^use (cosine|step|none)\b", out, re.MULTILINE), out


@pytest.mark.xdist_group("swept")
def test_a_sweep_is_one_run_with_its_trials_and_finalists_below(swept: tuple[Path, str]) -> None:
    folder, _ = swept
    (parent,) = runs(folder, "sweep")
    trials, finalists = runs(folder, "trial"), runs(folder, "finalist")
    assert (parent.info.run_name, parent.info.status) == ("mine", "FINISHED")
    assert sum(run.data.tags["state"] != "failed" for run in trials) == 12
    assert {run.data.tags["mlflow.parentRunId"] for run in trials + finalists} == {
        parent.info.run_id
    }
    assert sorted(int(run.data.tags["trial"]) for run in trials) == list(range(len(trials)))
    assert {run.data.tags["study"] for run in trials} == {"mine"}
    assert {run.data.tags["state"] for run in trials} <= {"complete", "pruned", "failed"}
    assert sorted(run.data.tags["family"] for run in finalists) == ["cosine", "none", "step"]


@pytest.mark.xdist_group("swept")
def test_a_trial_says_what_was_swept_and_a_finalist_its_spread(swept: tuple[Path, str]) -> None:
    folder, _ = swept
    cosine = [r for r in runs(folder, "trial") if r.data.tags["scheduler"] == "cosine"]
    for run in cosine:
        assert {"scheduler", "optimizer.lr", "epochs", "seed", "seeds"} <= set(run.data.params)
        assert len(run.data.params) < 20
        assert run.info.run_name.startswith("cosine ")
    for run in runs(folder, "finalist"):
        assert run.data.metrics["loss_std"] > 0


@pytest.mark.xdist_group("swept")
def test_the_sweep_s_run_has_the_verdict_as_note_and_files(swept: tuple[Path, str]) -> None:
    folder, out = swept
    (parent,) = runs(folder, "sweep")
    headline = next(line for line in out.splitlines() if line.startswith("use "))
    assert headline.split(":")[0] in parent.data.tags["mlflow.note.content"]
    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    files = {file.path for file in client.list_artifacts(parent.info.run_id)}
    assert {"verdict.json", "verdict.md", "verdict.html", "trials.csv", "plots"} <= files
    plots = {file.path for file in client.list_artifacts(parent.info.run_id, "plots")}
    assert len([plot for plot in plots if plot.endswith(".png")]) >= 5


@pytest.mark.xdist_group("swept")
def test_the_recommended_program_runs_and_the_review_is_made_again(
    swept: tuple[Path, str], warm: str
) -> None:
    folder, _ = swept
    program = sweeps(warm, folder, "mine", module="sweeps.export")
    assert program.returncode == 0, program.stderr
    exec(compile(program.stdout, "program", "exec"), {"__name__": "__main__"})  # noqa: S102
    verdict = json.loads((folder / "mlruns/studies/mine/artifacts/verdict.json").read_text())
    assert verdict["recommended"]["family"] in program.stdout
    again = sweeps(warm, folder, "mine", module="sweeps.report")
    assert again.returncode == 0, again.stderr
    assert re.search(r"^use (cosine|step|none)\b", again.stdout, re.MULTILINE)


@pytest.mark.xdist_group("swept")
def test_z_the_same_command_adds_nothing(swept: tuple[Path, str], warm: str) -> None:
    folder, _ = swept
    before = (folder / "mlruns/studies/mine/artifacts/verdict.json").read_text()
    there = [len(runs(folder, role)) for role in ("sweep", "trial", "finalist")]
    again = sweeps(warm, folder, *SWEEP)
    assert again.returncode == 0, again.stderr
    found = [len(runs(folder, role)) for role in ("sweep", "trial", "finalist")]
    assert found == there
    assert there[0] == 1
    assert (folder / "mlruns/studies/mine/artifacts/verdict.json").read_text() == before


def test_failed_and_refused_trials_are_there_with_their_reason(command, tmp_path: Path) -> None:
    done = command(
        *(
            "-m",
            "scheduler=step",
            "optimizer.lr=choice(0.1,1e30)",
            "scheduler.step_size=choice(0,3)",
        ),
        *("hydra/sweeper/sampler=grid", "hydra.sweeper.n_trials=4", STUDY, *SHORT, *JUDGING),
        *("hydra.sweeper.max_failure_rate=1.0", "verdict.plots=false"),
        "+hydra.sweeper.params={scheduler.gamma: 0.9}",
    )
    assert done.returncode == 0, done.stderr
    by_state: dict[str, list[Any]] = {}
    for run in runs(tmp_path, "trial"):
        by_state.setdefault(run.data.tags["state"], []).append(run)
    reasons = sorted(run.data.tags["reason"] for run in by_state["failed"])
    assert len(by_state["complete"]) == 1
    assert any("step_size=0 is not allowed" in reason for reason in reasons)
    assert any("the loss is" in reason for reason in reasons)
    assert {run.info.status for run in by_state["failed"]} == {"FAILED"}


def test_where_everything_converges_nothing_is_told_apart(command, tmp_path: Path) -> None:
    """The source text's own task: full batch, well conditioned, 100 epochs."""
    words = ("hydra.sweeper.n_trials=6", "hydra.sweeper.sampler.seed=2", STUDY)
    words += ("tracking=none", "verdict.plots=false")
    done = command("-m", "scheduler=cosine,exponential,plateau", *words)
    assert done.returncode == 0, done.stderr
    verdict = json.loads((tmp_path / "mlruns/studies/mine/artifacts/verdict.json").read_text())
    assert [standing["tied"] for standing in verdict["ranking"]["standings"]] == [True] * 3
    assert "equal: all 3 reach the optimum" in " ".join(done.stdout.split())  # it is wrapped


def test_several_tunings_are_judged_each_on_its_own_draws(
    command, warm: str, tmp_path: Path
) -> None:
    words = ("-m", "scheduler=cosine,none", "hydra.sweeper.n_trials=9", "hydra.sweeper.tunings=3")
    words += (
        STUDY,
        "tracking=none",
        "epochs=4",
        "task.n=100",
        "task.condition=20",
        "verdict.fresh=4",
    )
    done = command(*words, "hydra.sweeper.max_failure_rate=1.0", "verdict.plots=false")
    assert done.returncode == 0, done.stderr
    assert "2 families of 9 trials in 3 independent tunings" in done.stdout
    verdict = json.loads((tmp_path / "mlruns/studies/mine/artifacts/verdict.json").read_text())
    ranking = verdict["ranking"]
    assert (ranking["tunings"], ranking["seeds"], ranking["measure"]) == (3, 12, "excess")
    best, other = ranking["standings"]
    assert best["answer"] == "best"
    assert other["answer"] in ("worse", "equal", "unknown")
    assert other["ratio_interval"][0] <= other["ratio"] <= other["ratio_interval"][1]
    assert set(verdict["around"]) == {"cosine", "none"}
    for one in verdict["around"].values():
        assert [factor for factor, _ in one["lr"]] == [0.25, 0.5, 1.0, 2.0, 4.0]
        assert [factor for factor, _ in one["epochs"]] == [0.5, 2.0]
    # What is recommended is what was judged: the lr of the trial, corrected on other draws.
    recommended = verdict["recommended"]
    pick = verdict["picks"][recommended["family"]]
    assert f"optimizer.lr={pick['params']['optimizer.lr']:.6g}" in recommended["command"]
    program = sweeps(warm, tmp_path, "mine", module="sweeps.export").stdout
    assert program.splitlines()[1:] == recommended["snippet"].splitlines()[1:]
    assert f"lr={pick['params']['optimizer.lr']:.6g}"[:8] in program


def test_an_interrupted_sweep_s_run_is_killed_and_goes_on(
    start: Callable[..., Any], command, wait_for, tmp_path: Path
) -> None:
    import signal

    arguments = ("-m", "scheduler=step", STUDY, "hydra.sweeper.n_trials=16", "epochs=400", *JUDGING)
    arguments += ("verdict.plots=false",)
    process = start(*arguments)
    wait_for(lambda: len(list((tmp_path / "mlruns").rglob("history.csv"))) > 3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=100)
    (parent,) = runs(tmp_path, "sweep")
    assert parent.info.status == "KILLED"
    command(*arguments).check_returncode()
    (parent,) = runs(tmp_path, "sweep")
    assert parent.info.status == "FINISHED"


@pytest.fixture
def spec(compose: Callable[..., Any]) -> Any:
    return prepare(compose("scheduler=step", "epochs=5", "task.n=60", "task.batch_size=20"))


def test_seeds_of_tuning_selection_and_judging_never_meet(spec: Any) -> None:
    lots = [
        set(spec.seeds),
        set(reseeded(spec, SELECTION, 1000).seeds),
        set(reseeded(spec, FRESH, 1000).seeds),
    ]
    assert sum(map(len, lots)) == len(set.union(*lots))


def test_other_seeds_train_on_the_same_data(spec: Any) -> None:
    other = reseeded(spec, FRESH, 3)
    assert other.task is spec.task
    (found,) = losses([other])
    assert len(set(found)) == 3


def test_the_better_of_a_family_is_picked_and_a_diverged_one_is_last(spec: Any) -> None:
    def at(lr: float) -> Candidate:
        recipe = replace(
            spec.recipe,
            optimizer=lambda parameters: torch.optim.SGD(parameters, lr=lr),
        )
        return Candidate("step", replace(spec, recipe=recipe))

    slow, good, wild = at(1e-4), at(0.1), at(1e20)
    ordered, failed = select([slow, wild, good], Budget(3, 2, 4))
    assert (ordered, failed) == ([good, slow, wild], [])
    evaluated, failed = evaluate(ordered, Budget(3, 2, 4))
    found = finalists(evaluated)
    assert [finalist.rank for finalist in found] == [0, 1, 2]
    assert found[2].losses == (math.inf,) * 4
    assert len(found[0].losses) == 4


def test_seeds_are_logged_as_mean_and_spread(command, tmp_path: Path) -> None:
    done = command("scheduler=step", "seeds=5", *SHORT)
    assert done.returncode == 0, done.stderr
    assert "5: all of the above is their mean" in done.stdout
    (losses_file,) = (tmp_path / "mlruns/jobs").rglob("losses.json")
    by_seed = json.loads(losses_file.read_text())
    assert list(by_seed) == ["42", "43", "44", "45", "46"]
    (history,) = (tmp_path / "mlruns/jobs").rglob("history.csv")
    header, *_, last = history.read_text().splitlines()
    row = dict(zip(header.split(","), last.split(","), strict=True))
    assert float(row["loss"]) == pytest.approx(sum(by_seed.values()) / 5)
    assert float(row["loss_std"]) > 0
