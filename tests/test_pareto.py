"""Several objectives: the trials that no other one beats, and no verdict."""

import csv
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient
from omegaconf import DictConfig, OmegaConf

from lrlab.objective import objectives
from sweeps.config.errors import ConfigError
from sweeps.reports.pareto import front, pareto_headline
from sweeps.reports.review import FamilyReview, Review, TrialRow
from sweeps.runs.run_spec import prepare

SWEEP = """
    -m scheduler=step,cosine task.n=60 task.batch_size=20 epochs=4 objective=[loss,grad_norm]
    hydra.sweeper.n_trials=5 hydra.sweeper.study_name=s hydra.sweeper.sampler.seed=1
    optimizer.lr=interval(0.01,0.1)
"""
Run = Callable[..., CompletedProcess[str]]

values = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12)


def review(found: list[tuple[int, int]], directions: Any) -> Review:
    rows = tuple(
        TrialRow(number, "complete", float(row[0]), values=(float(row[0]), float(row[1])))
        for number, row in enumerate(found)
    )
    goals = objectives(["a", "b"], directions)
    return Review("s", "t", 1, 1, len(rows), (FamilyReview("step", rows),), objectives=goals)


@settings(max_examples=50, deadline=None)
@given(values)
def test_a_front_has_every_trial_that_no_other_beats(found: list[tuple[int, int]]) -> None:
    """The first objective is to be large, the second one small."""
    kept = {trial.number for _, trial in front(review(found, ["maximize", "minimize"]))}
    for number, (a, b) in enumerate(found):
        beaten = any(x >= a and y <= b and (x, y) != (a, b) for x, y in found)
        assert (number in kept) != beaten


def test_a_failed_trial_is_on_no_front() -> None:
    found = review([(1, 1)], ["minimize", "minimize"])
    lost = FamilyReview("cosine", (TrialRow(7, "failed", reason="diverged"),))
    assert len(front(Review("s", "t", 1, 1, 1, (lost,), objectives=found.objectives))) == 0
    assert pareto_headline(found).endswith("(minimize) are 1 of 1 trials: 1 of step")


@pytest.fixture
def swept(home: Path, command: Run) -> CompletedProcess[str]:
    done = command(*SWEEP.split())
    assert done.returncode == 0, done.stderr
    return done


def test_a_sweep_with_several_objectives_ends_with_its_front_and_no_verdict(
    home: Path, swept: CompletedProcess[str], command: Run
) -> None:
    assert "no trial is pruned" in swept.stderr
    assert "no verdict: families are ranked by one objective" in swept.stdout
    (results,) = home.glob("mlruns/jobs/*/optimization_results.yaml")
    solutions = OmegaConf.load(results).solutions
    shown = f"on the Pareto front of loss (minimize) and grad_norm (minimize) are {len(solutions)}"
    assert shown in swept.stdout
    files = home / "mlruns/studies/s/artifacts"
    assert (files / "plots/pareto.png").exists()
    assert not (files / "verdict.json").exists()
    with (files / "trials.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for solution in solutions:
        pairs = [(float(row["value"]), float(row["grad_norm"])) for row in rows]
        assert tuple(solution["values"]) in pairs
    client = MlflowClient(tracking_uri=f"sqlite:///{home}/mlflow.db")
    (own,) = client.search_runs(["1"], "tags.role = 'sweep'")
    assert own.data.metrics["front"] == len(solutions)
    again = command("s", module="sweeps.report")
    assert again.stdout.partition("\n\n")[0] == shown_answer(swept.stdout)
    refused = command("s", module="sweeps.export")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "study s has several objectives" in refused.stderr


def shown_answer(text: str) -> str:
    return text[text.index("on the Pareto front") :].partition("\n\n")[0]


def test_the_directions_follow_the_task_s_file(compose: Callable[..., DictConfig]) -> None:
    words = ["objective=[gain,train_loss]", "+task.metrics={gain:maximize}"]
    spec = prepare(compose(*words))
    assert [(o.name, o.direction) for o in spec.objectives] == [
        ("gain", "maximize"),
        ("train_loss", "minimize"),
    ]
    assert spec.settings.training.measure  # or there would be no such value


REFUSED = {
    "objective=[loss,gain]": r"objective=\[loss,gain\] is not allowed: .* direction=\[...\] with",
    "objective=[loss]": r"objective=\[loss\] is not allowed: a list must name at least two",
    "objective=[loss,loss]": r"objective=\[loss,loss\] is not allowed: a list must name",
    "objective=[loss,seconds] direction=minimize": r"direction=minimize is not .* one for each",
    "objective=[loss,seconds] direction=[minimize]": r"direction=\[minimize\] .* needs 2 of them",
    "direction=[minimize,maximize]": r"direction=\[minimize,maximize\] .* needs one word",
}


@pytest.mark.parametrize("words", REFUSED)
def test_objectives_that_do_not_fit_are_refused(
    words: str, compose: Callable[..., DictConfig]
) -> None:
    with pytest.raises(ConfigError, match=REFUSED[words]):
        prepare(compose(*words.split()))
