"""What a person sees of a sweep: on the screen, in its files, and in MLflow's UI in a real browser.

One sweep, one run and one server, started by `python -m sweeps.ui`, serve all tests.
"""

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from lrlab.tracking.ui import ui_pages
from sweeps import ui
from sweeps.reports import Review, read_review
from sweeps.reports.plots.charts import Curves
from sweeps.reports.plots.ranking_chart import charts
from sweeps.reports.sentences import headline
from sweeps.reports.tables import rows
from tests.looking import CHROMIUM, NEEDS, PATIENCE, QUIET, SETTLED, free_port

SWEEP = [
    *("-m", "scheduler=cosine,step", "task.batch_size=100", "epochs=8", "verdict.fresh=5"),
    *("hydra.sweeper.n_trials=4", "hydra.sweeper.study_name=mine", "hydra.sweeper.sampler.seed=1"),
    "optimizer.lr=tag(log,interval(0.02,0.3))",  # where no trial diverges
    *("verdict.finalists=2", "verdict.selection=3"),
]
pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Swept:
    """A folder with a sweep and a run, and what the sweep printed."""

    folder: Path
    env: dict[str, str]
    screen: str

    @property
    def own(self) -> Path:
        return self.folder / "mlruns" / "studies" / "mine"

    @property
    def review(self) -> Review:
        study = read_review.read_study(f"sqlite:///{self.folder}/mlruns/optuna.db", "mine")
        return read_review.make_review(study, read_review.stored_verdict(self.own / "artifacts"))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory, warm: str, empty_database: Path) -> Swept:
    folder = tmp_path_factory.mktemp("looked_at")
    (folder / "mlflow.db").write_bytes(empty_database.read_bytes())
    hidden = ("MLFLOW_", "HYDRA_", "SWEEPS_", "COVERAGE_")
    env = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
    screens = [
        subprocess.run(
            [warm, "-m", "sweeps", *words],
            cwd=folder,
            env=env,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for words in (SWEEP, ["scheduler=cosine"])
    ]
    return Swept(folder, env, screens[0])


@pytest.fixture(scope="module")
def links(swept: Swept) -> Iterator[dict[str, str]]:
    """The links that `python -m sweeps.ui mine` prints, by their label, while it runs."""
    ui = subprocess.Popen(
        [sys.executable, "-m", "sweeps.ui", "mine", "--no-open", "--port", str(free_port())],
        cwd=swept.folder,
        env=swept.env,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert ui.stdout is not None
    found: dict[str, str] = {}
    while "sweep" not in found and (line := ui.stdout.readline()):
        label, _, link = line.strip().rpartition("  ")
        found[label.strip()] = link.strip()
    yield found
    ui.terminate()
    ui.communicate()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page of a person who has closed MLflow's assistant before."""
    context = chromium.new_context(viewport={"width": 1500, "height": 2000})
    context.add_init_script(SETTLED.splitlines()[-1])
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    yield opened
    context.close()


def browser_test(test: Any) -> Any:
    for mark in NEEDS:
        test = mark(test)
    return test


@browser_test
def test_the_printed_link_leads_to_the_answer_and_its_table(
    page: Any, links: dict[str, str]
) -> None:
    page.goto(links["sweep"])
    page.locator("strong", has_text=re.compile(r"^use (cosine|step) ")).wait_for()
    page.get_by_text("Show more").click()
    for column in ("family", "loss", "parameters"):
        page.get_by_role("columnheader", name=column, exact=True).wait_for()
    page.get_by_role("heading", name="Use it").wait_for()
    page.get_by_text("Datasets").first.wait_for()
    page.get_by_text("linear_regression").first.wait_for()


def test_a_second_look_uses_the_server_that_runs_and_has_the_run(
    links: dict[str, str],
    swept: Swept,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    base = links["sweep"].partition("/#")[0]
    port = int(base.rpartition(":")[2])
    monkeypatch.chdir(swept.folder)
    monkeypatch.setattr(ui_pages, "PORTS", range(port, port + 1))
    ui.main(["mine", "--no-open"])
    printed = [line.rpartition("  ") for line in capsys.readouterr().out.splitlines()]
    assert {label.strip(): link for label, _, link in printed} == links
    assert ui_pages.experiment_of(base, "f" * 32) is None


@browser_test
def test_the_history_of_the_search_is_a_chart(page: Any, links: dict[str, str]) -> None:
    page.goto(links["sweep"])
    page.get_by_role("tab", name="Model metrics").click()
    page.get_by_text("best_in_tuning", exact=False).first.wait_for()
    page.locator("path.js-line").first.wait_for(state="attached")


@browser_test
def test_the_files_of_a_sweep_are_shown(page: Any, links: dict[str, str]) -> None:
    page.goto(links["sweep"])
    page.get_by_text("Artifacts", exact=True).click()
    page.get_by_text("verdict.html").click()
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name="Sweep mine").wait_for()
    frame.locator("img").first.wait_for()
    page.get_by_text("plots", exact=True).click()
    page.get_by_text("ranking.png").click()
    page.locator("img[src^='blob:'], img[src^='data:']").first.wait_for()


@browser_test
def test_the_runs_of_a_sweep_stand_under_it_by_name(page: Any, links: dict[str, str]) -> None:
    page.goto(links["all runs"])
    sweep = page.get_by_role("gridcell").filter(
        has=page.get_by_role("link", name="mine", exact=True)
    )
    sweep.wait_for()
    trials = page.get_by_role("link", name=re.compile(r"^cosine T_max="))
    assert trials.count() == 0
    sweep.get_by_role("button").first.click()
    trials.first.wait_for()
    assert re.match(r"cosine T_max=\d+ \S*eta_min=\S+ lr=\S+$", trials.first.inner_text())
    page.get_by_role("link", name=re.compile("^step finalist ")).wait_for()


@browser_test
def test_trials_are_sorted_by_loss_and_three_of_them_compared_by_epoch(
    page: Any, links: dict[str, str]
) -> None:
    page.goto(links["trials"])
    page.get_by_text("Sort: loss").wait_for()
    page.get_by_role("columnheader", name="optimizer.lr").first.wait_for()
    assert page.get_by_role("link", name="finalist").count() == 0
    page.locator("label:has(input[value=CHART])").click()
    card = page.locator("[data-testid='experiment-view-compare-runs-card']").filter(
        has=page.get_by_text("loss", exact=True)
    )
    card.locator(".scatterlayer path.js-line").nth(2).wait_for(state="attached")


@browser_test
def test_learning_rates_and_losses_of_the_finalists_share_a_chart(
    page: Any, links: dict[str, str]
) -> None:
    page.goto(links["curves"])
    page.get_by_text("Learning curves").wait_for()
    for metric in ("lr", "loss"):
        card = page.locator("[data-testid='experiment-view-compare-runs-card']").filter(
            has=page.get_by_text(metric, exact=True)
        )
        for family in ("cosine", "step"):
            card.get_by_text(f"{family} finalist").wait_for()
        card.locator(".scatterlayer path.js-line").nth(1).wait_for(state="attached")


@browser_test
def test_a_run_charts_lr_loss_and_weights_of_each_epoch(
    page: Any, links: dict[str, str], swept: Swept
) -> None:
    [noted] = (swept.folder / "mlruns" / "jobs").glob("*/recorded.json")
    sweep_id = links["sweep"].rpartition("/")[2].partition("?")[0]
    run = links["sweep"].replace(sweep_id, json.loads(noted.read_text())["run_id"])
    page.goto(run.replace("?", "/model-metrics?"))
    for name in ("lr", "loss", "excess_loss", "weights/bias", "weights/weight.4"):
        page.get_by_text(f"cosine ({name})", exact=True).first.wait_for()
    page.goto(run)
    page.get_by_text("scheduler.T_max").first.wait_for()


def test_screen_pages_pictures_and_mlflow_say_the_same(swept: Swept) -> None:
    """The numbers of one sweep, wherever a person reads them."""
    from mlflow import MlflowClient

    review, files = swept.review, swept.own / "artifacts"
    verdict = review.verdict
    assert verdict is not None
    best, answer = verdict.ranking.best, headline(review)
    [run_id] = [json.loads((swept.own / "recorded.json").read_text())["run_id"]]
    client = MlflowClient(tracking_uri=f"sqlite:///{swept.folder}/mlflow.db")
    run = client.get_run(run_id)
    parts = client.search_runs(["1"], f"tags.`mlflow.parentRunId` = '{run_id}'")
    data = {(d.dataset.name, d.dataset.digest) for r in parts for d in r.inputs.dataset_inputs}
    assert data == {(d.dataset.name, d.dataset.digest) for d in run.inputs.dataset_inputs}

    texts = {
        "screen": " ".join(swept.screen.split()),
        "verdict.md": (files / "verdict.md").read_text("utf-8"),
        "verdict.html": unescape((files / "verdict.html").read_text("utf-8")),
        "mlflow": run.data.tags["mlflow.note.content"].replace("&nbsp;", ""),
    }
    for name, text in texts.items():
        assert answer in text, name
        for row in rows(review):
            assert row["loss"] in text, (name, row["family"])
    assert run.data.metrics["loss"] == best.mean
    for standing in verdict.ranking.standings:
        assert run.data.metrics[f"mean/{standing.family}"] == standing.mean
    drawn = next(chart for chart in charts(review) if chart.key == "learning_rates")
    assert isinstance(drawn, Curves)
    peak = max(max(line.y) for line in drawn.lines if line.family == best.family)
    assert verdict.recommended is not None
    assert f" lr={peak:.3g}: " in answer
    assert f" lr={peak:.3g}: " in verdict.recommended.snippet.splitlines()[0]
    titles = {chart.key: chart.title for chart in charts(review)}
    assert best.family in titles["ranking"]
    assert all(unescape(title) in texts["verdict.html"] for title in titles.values())
    with (files / "trials.csv").open() as file:
        trials = list(csv.DictReader(file))
    ended = run.data.metrics["trials/finished"] + run.data.metrics["trials/failed"]
    assert len(trials) == ended == sum(len(family.trials) for family in review.families)
    losses = [float(trial["value"]) for trial in trials if trial["state"] == "complete"]
    assert run.data.metrics["best_in_tuning"] == min(losses)
