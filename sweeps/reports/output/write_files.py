"""All files of a review."""

import csv
import shlex
from collections.abc import Callable
from pathlib import Path

from sweeps.reports.output import html_page, markdown
from sweeps.reports.plots.png_charts import draw
from sweeps.reports.plots.ranking_chart import charts
from sweeps.reports.plots.styles import styles
from sweeps.reports.review import Review
from sweeps.reports.verdict_data import Verdict

VERDICT = "verdict.json"
FACTS = ("family", "number", "state", "value", "excess", "peak_lr", "seconds", "reason", "folder")


def write(
    review: Review,
    folder: Path,
    show: Callable[[str], None] = lambda _: None,
    *,
    plots: bool = True,
) -> None:
    """Write verdict.md, verdict.html, trials.csv, plots/ and verdict.json into a folder.

    Args:
        review: what to tell.
        folder: made if it is not there; what has these names in it is replaced.
        show: told the name of each file before it is made.
        plots: whether to draw the charts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = _draw(review, folder / "plots", show) if plots else {}
    show("trials.csv")
    _trials(review, folder / "trials.csv")
    texts = {"verdict.md": markdown.text(review), "verdict.html": html_page.page(review, pictures)}
    for name, text in texts.items():
        show(name)
        (folder / name).write_text(text, encoding="utf-8")
    if review.verdict:
        show(VERDICT)
        write_verdict(review.verdict, folder)


def _draw(review: Review, folder: Path, show: Callable[[str], None]) -> dict[str, bytes]:
    """Each chart as PNG, by its title."""
    folder.mkdir(exist_ok=True)
    looks = styles(family.name for family in review.families)
    pictures: dict[str, bytes] = {}
    for chart in charts(review):
        file = folder / f"{chart.key}.png"
        show(f"plots/{file.name}")
        draw(chart, looks, file)
        pictures[chart.title] = file.read_bytes()
    return pictures


def write_verdict(verdict: Verdict, folder: Path) -> None:
    """Write verdict.json, whole or not at all."""
    unfinished = folder / f"{VERDICT}.unfinished"
    unfinished.write_text(verdict.to_json(), encoding="utf-8")
    unfinished.replace(folder / VERDICT)


def _trials(review: Review, path: Path) -> None:
    """A row a trial: facts, then every parameter that any family sampled."""
    trials = [(family.name, trial) for family in review.families for trial in family.trials]
    keys = sorted({key for _, trial in trials for key in trial.params})
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        others = review.objectives[1:]  # `value` is the first
        writer.writerow([*FACTS, *(found.name for found in others), *keys, "overrides"])
        for family, trial in sorted(trials, key=lambda pair: pair[1].number):
            facts = [family, *(getattr(trial, name) for name in FACTS[1:])]
            facts += (*trial.values[1:], *[""] * len(others))[: len(others)]
            writer.writerow([*facts, *map(trial.params.get, keys), shlex.join(trial.overrides)])
