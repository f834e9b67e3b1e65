"""All files of a review."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from sweeps.review import markdown, pages
from sweeps.review.charts import Chart
from sweeps.review.interactive import figure
from sweeps.review.pictures import draw
from sweeps.review.places import charts
from sweeps.review.reviews import Review
from sweeps.review.styles import styles

VERDICT = "verdict.json"
FACTS = ("family", "number", "state", "value", "excess", "peak_lr", "seconds", "reason", "folder")


def write(review: Review, folder: Path, show: Callable[[str], None] = lambda _: None) -> None:
    """Write verdict.json, verdict.md, verdict.html, trials.csv and plots/ into a folder.

    Args:
        review: what to tell.
        folder: made if it is not there; what has these names in it is replaced.
        show: told the name of each file before it is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in _files(review, folder):
        show(name)
        make()


def _files(review: Review, folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    drawn, looks = charts(review), styles(family.name for family in review.families)
    verdict = review.verdict
    if verdict is not None:
        yield VERDICT, lambda: (folder / VERDICT).write_text(verdict.to_json(), "utf-8")
    yield "verdict.md", lambda: (folder / "verdict.md").write_text(markdown.text(review), "utf-8")
    yield "trials.csv", lambda: _trials(review, folder / "trials.csv")
    figures = [figure(chart, looks) for chart in drawn]
    page = folder / "verdict.html"
    yield page.name, lambda: page.write_text(pages.page(review, figures), "utf-8")
    plots = folder / "plots"
    plots.mkdir(exist_ok=True)
    if drawn:
        yield (
            f"plots/{pages.SCRIPT}",
            lambda: (plots / pages.SCRIPT).write_text(pages.script(), "utf-8"),
        )
    for chart, made in zip(drawn, figures, strict=True):
        yield from _plot(chart, pages.chart_page(chart.title, made), plots)
        yield (
            f"plots/{chart.key}.png",
            lambda chart=chart: draw(chart, looks, plots / f"{chart.key}.png"),
        )


def _plot(chart: Chart, text: str, plots: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    yield f"plots/{chart.key}.html", lambda: (plots / f"{chart.key}.html").write_text(text, "utf-8")


def _trials(review: Review, path: Path) -> None:
    """A row a trial: facts, then every parameter that any family sampled."""
    trials = [(family.name, trial) for family in review.families for trial in family.trials]
    keys = sorted({key for _, trial in trials for key in trial.params})
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*FACTS, *keys, "overrides"])
        for family, trial in sorted(trials, key=lambda pair: pair[1].number):
            facts = [family, *(getattr(trial, name) for name in FACTS[1:])]
            writer.writerow([*facts, *map(trial.params.get, keys), " ".join(trial.overrides)])
