"""All files of a review."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweeps.review import markdown, pages
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
        show: told the name of each file before it is made.
    """
    plots = folder / "plots"
    plots.mkdir(parents=True, exist_ok=True)
    drawn, looks = charts(review), styles(family.name for family in review.families)
    figures = [figure(chart, looks) for chart in drawn]
    for name, text in _texts(review, figures).items():
        show(name)
        (folder / name).write_text(text, encoding="utf-8")
    show("trials.csv")
    _trials(review, folder / "trials.csv")
    for chart, made in zip(drawn, figures, strict=True):
        show(f"plots/{chart.key}")
        (plots / f"{chart.key}.html").write_text(pages.chart_page(chart.title, made), "utf-8")
        draw(chart, looks, plots / f"{chart.key}.png")


def _texts(review: Review, figures: list[Any]) -> dict[str, str]:
    found = {VERDICT: review.verdict.to_json()} if review.verdict else {}
    found |= {"verdict.md": markdown.text(review), "verdict.html": pages.page(review, figures)}
    return found | ({f"plots/{pages.SCRIPT}": pages.script()} if figures else {})


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
