"""What a person sees of a sweep in the MLflow UI, in a real browser against the real server."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.looking import NEEDS, browser, mlflow_ui

SWEEP = [
    *("-m", "scheduler=cosine,step", "task.batch_size=100", "epochs=8", "verdict.fresh=5"),
    *("hydra.sweeper.n_trials=4", "hydra.sweeper.study_name=mine"),
    *("verdict.finalists=2", "verdict.selection=3"),
]

pytestmark = [*NEEDS, pytest.mark.xdist_group("browser of a sweep")]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the runs of the experiment of one small sweep."""
    folder = tmp_path_factory.mktemp("looked_at")
    hidden = ("MLFLOW_", "HYDRA_", "SWEEPS_", "COVERAGE_")
    env = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    subprocess.run([sys.executable, "-m", "sweeps", *SWEEP], cwd=folder, env=env, check=True)
    with mlflow_ui(folder, env) as address:
        yield f"{address}/#/experiments/1/runs"


@pytest.fixture
def page() -> Iterator[Any]:
    with browser() as opened:
        yield opened


def open_sweep(page: Any, runs: str) -> None:
    page.goto(runs)
    page.get_by_role("link", name="mine", exact=True).click()


def test_the_runs_of_a_sweep_stand_under_it_by_name(page: Any, runs: str) -> None:
    page.goto(f"{runs}?viewStateShareKey=sweeps")
    sweep = page.get_by_role("gridcell").filter(
        has=page.get_by_role("link", name="mine", exact=True)
    )
    sweep.wait_for()
    trials = page.get_by_role("link", name=re.compile(r"^cosine T_max="))
    assert trials.count() == 0
    sweep.get_by_role("button").first.click()
    trials.first.wait_for()
    assert re.match(r"cosine T_max=\d+ shares.eta_min=\S+ lr=\S+$", trials.first.inner_text())
    page.get_by_role("link", name=re.compile("^step finalist ")).wait_for()


def test_the_page_of_a_sweep_begins_with_the_answer(page: Any, runs: str) -> None:
    open_sweep(page, runs)
    page.locator("strong", has_text=re.compile(r"^use (cosine|step) ")).wait_for()
    page.get_by_text("Show more").click()
    for column in ("family", "loss", "parameters"):
        page.get_by_role("columnheader", name=column, exact=True).wait_for()
    page.get_by_role("heading", name="Use it").wait_for()


def test_the_files_of_a_sweep_are_shown(page: Any, runs: str) -> None:
    open_sweep(page, runs)
    page.get_by_text("Artifacts", exact=True).click()
    page.get_by_text("verdict.html").click()
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name="Sweep mine").wait_for()
    frame.locator("img").first.wait_for()
    page.get_by_text("plots", exact=True).click()
    page.get_by_text("ranking.png").click()
    page.locator("img[src^='blob:'], img[src^='data:']").first.wait_for()


def test_trials_are_sorted_by_loss_on_one_click(page: Any, runs: str) -> None:
    page.goto(runs)
    page.get_by_text("Views", exact=True).click()
    page.get_by_text("Trials by loss").click()
    page.get_by_role("columnheader", name="optimizer.lr").first.wait_for()
    page.get_by_text("Sort: loss").wait_for()
    assert page.get_by_role("link", name="finalist").count() == 0


def test_learning_rates_and_losses_of_several_runs_share_a_chart(page: Any, runs: str) -> None:
    page.goto(f"{runs}?viewStateShareKey=finalists&compareRunsMode=CHART")
    page.get_by_text("Learning curves").wait_for()
    for metric in ("lr", "loss"):
        card = page.locator("[data-testid='experiment-view-compare-runs-card']").filter(
            has=page.get_by_text(metric, exact=True)
        )
        for family in ("cosine", "step"):
            card.get_by_text(f"{family} finalist").wait_for()
        card.locator(".scatterlayer path.js-line").nth(1).wait_for(state="attached")
