"""What a person is shown of a sweep: made-up ones here, real ones in test_report.py."""

import csv
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from lrlab.ranking import Finalist, rank
from sweeps.reports import Excluded, FamilyReview, Review, TrialRow, Verdict, read_review
from sweeps.reports.output import html_page, markdown, terminal
from sweeps.reports.output.write_files import write
from sweeps.reports.plots.charts import Chart, Curves, Interval, Panels
from sweeps.reports.plots.ranking_chart import charts
from sweeps.reports.plots.styles import styles
from sweeps.reports.plots.training_charts import learning_rates
from sweeps.reports.sentences import headline, notes
from sweeps.reports.tables import rows
from sweeps.reports.wall_time import shares
from tests.made_up import NAMES, review

MANY = review(NAMES)
FEW = review()


def evaluated(seeds: int = 12, **means: float) -> Review:
    """Families with these losses, so alike over the seeds that the smallest gap shows."""
    base = review(list(means))
    finalists = [
        Finalist(name, r, tuple(mean * (1 + 0.01 * r + 0.001 * s) for s in range(seeds)))
        for name, mean in means.items()
        for r in range(8)
    ]
    assert base.verdict is not None
    ranking = rank(finalists, 20)
    use = replace(base.verdict.recommended, family=ranking.best.family)
    return replace(base, verdict=replace(base.verdict, ranking=ranking, recommended=use))


def failed(name: str) -> FamilyReview:
    return FamilyReview(name, tuple(TrialRow(i, "failed", reason="loss nan") for i in range(5)))


# --- data


@pytest.mark.parametrize("which", [FEW, MANY], ids=["3", "24"])
def test_a_verdict_is_read_as_it_was_written(which: Review) -> None:
    assert which.verdict
    assert Verdict.from_json(which.verdict.to_json()) == which.verdict


def test_json_has_no_number_that_json_has_not() -> None:
    assert FEW.verdict
    text = FEW.verdict.to_json()  # a learning rate four times off diverges
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert '"Infinity"' in text


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda p: (min(p), max(p))),
        max_size=12,
    )
)
def test_the_shares_of_time_add_up_to_the_time_in_which_anything_ran(
    spans: list[tuple[int, int]],
) -> None:
    moments = range(50)
    busy = sum(any(begin <= m < end for begin, end in spans) for m in moments)
    assert sum(shares(spans)) == pytest.approx(busy)


# --- words


def last_words(found: Review) -> str:
    return headline(found).partition(": ")[2]


def test_one_that_is_better_than_all_others() -> None:
    found = evaluated(cosine=1.0, step=2.0, plateau=3.0)
    assert last_words(found) == "better than step and plateau"


def test_one_that_is_better_than_some() -> None:
    found = evaluated(cosine=1.0, step=1.001, plateau=3.0)
    assert last_words(found) == "better than plateau; unknown against step"
    assert any(line.startswith("unknown: step; one tuning cannot show") for line in notes(found))


def over_tunings(spread: float = 0.0, lost: str = "", **scales: float) -> Review:
    """A verdict over five tunings of each family, whose excess losses have these scales.

    The family `lost` diverged on one draw.
    """
    assert FEW.verdict is not None
    draws = {
        name: np.random.default_rng(i).gamma(20.0, 0.05, (5, 10)) for i, name in enumerate(scales)
    }
    entrants = [
        Finalist(name, 0, tuple(1.0 + scales[name] * luck * row), tuning, (1.0,) * 10)
        for name, rows_of in draws.items()
        for tuning, row in enumerate(rows_of)
        for luck in [1.0 + spread * (tuning - 2)]
    ]
    entrants = [
        replace(one, losses=(math.inf, *one.losses[1:]))
        if (one.family, one.tuning) == (lost, 0)
        else one
        for one in entrants
    ]
    ranking = rank(entrants, 150)
    recommended = replace(FEW.verdict.recommended, family=ranking.best.family)  # type: ignore[type-var]
    verdict = replace(FEW.verdict, ranking=ranking, recommended=recommended, robustness=())
    return replace(FEW, verdict=verdict, n_trials=150)


def test_what_diverged_on_a_draw_is_not_equal_and_says_so() -> None:
    found = over_tunings(cosine=1e-12, step=1e-12, lost="step")
    assert last_words(found) == "unknown against step"
    assert any(
        line.endswith("it diverged on 1 of 50 fresh seeds: narrow the range of its learning rate")
        for line in notes(found)
    )


def test_the_three_answers() -> None:
    better = over_tunings(cosine=0.1, step=0.3, plateau=0.3)
    assert last_words(better).startswith("better than step and plateau (excess loss at least 2.")
    same = over_tunings(cosine=0.1, step=0.1, plateau=0.1)
    assert last_words(same) == "equal: all 3 differ by less than 25 % of the best excess loss"
    assert any(
        line.startswith("the simplest of the 3 that are equal: cosine") for line in notes(same)
    )
    reached = over_tunings(cosine=1e-12, step=1e-10, plateau=1e-11)
    assert last_words(reached) == "equal: all 3 reach the optimum"
    found = over_tunings(0.2, cosine=0.1, step=0.12, plateau=0.6)
    assert last_words(found) == "better than plateau; unknown against step"
    (line,) = (line for line in notes(found) if line.startswith("unknown: step has 1.2 times"))
    assert "tunings of each would tell (verdict.tunings=" in line or "no number of tunings" in line


def test_one_family_is_compared_with_none() -> None:
    assert (
        last_words(evaluated(cosine=1.0))
        == "the only family evaluated; loss 1.006 on 12 fresh seeds"
    )


def test_one_seed_says_nothing() -> None:
    expected = "lowest loss of 2 families; with one seed, differences cannot be tested"
    assert last_words(evaluated(seeds=1, cosine=1.0, step=2.0)) == expected


def test_nothing_is_recommended_where_all_diverged() -> None:
    assert FEW.verdict is not None
    found = replace(FEW, verdict=replace(FEW.verdict, recommended=None))
    assert (
        headline(found) == "nothing to recommend: every selected trial diverged on the fresh seeds"
    )


def test_an_unfinished_sweep_says_so_and_how_to_go_on() -> None:
    found = replace(FEW, verdict=None, command="python -m sweeps -m scheduler=cosine")
    assert headline(found).startswith("unfinished: 57 of 60 trials, no verdict; best in tuning: ")
    assert notes(found) == ["continue with: python -m sweeps -m scheduler=cosine"]


def test_a_sweep_that_has_gone_on_since_its_verdict_says_so() -> None:
    assert notes(replace(FEW, n_trials=40))[0].startswith("the sweep has changed since this")


def test_what_is_too_small_to_count_is_said() -> None:
    legend = "equal: shown to differ by less than 25 % of the best excess loss"
    assert any(legend in line for line in notes(FEW))


# --- tables


@pytest.mark.parametrize("which", [FEW, MANY, replace(MANY, verdict=None)])
def test_a_terminal_of_100_columns_is_wide_enough(which: Review) -> None:
    lines = terminal.text(which).splitlines()
    assert max(map(len, lines)) <= 100
    assert "…" not in "".join(lines)
    assert " ".join(lines[:3]).startswith(headline(which))


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_narrow_terminal_keeps_the_families_and_their_answers(width: int) -> None:
    lines = terminal.text(FEW, width).splitlines()
    assert max(len(line) for line in lines if "python -m" not in line) <= width
    table = lines[next(i for i, line in enumerate(lines) if line.startswith(" ─")) + 1 :]
    assert all("…" not in line for line in table)
    answers = [row[""] for row in rows(FEW)]
    for line, answer in zip(table, answers, strict=False):
        assert answer in line


def test_a_table_needs_no_colours() -> None:
    assert "\x1b" not in terminal.text(FEW)
    assert [row[""] for row in rows(FEW)] == ["best", "unknown", "worse"]


def test_a_family_without_a_result_is_in_the_table_with_its_reason() -> None:
    found = replace(FEW, families=(*FEW.families, failed("broken")))
    assert rows(found)[-1] == dict.fromkeys(rows(found)[0], "") | {
        "family": "broken",
        "trials": "5",
        "failed": "5",
        "time": "0.0 s",
    }
    assert "broken: all 5 trials failed; the last: loss nan" in notes(found)


def test_a_column_that_says_nothing_is_left_out() -> None:
    assert FEW.verdict is not None
    without = replace(FEW, verdict=replace(FEW.verdict, optimum=None))
    assert "x opt." in rows(FEW)[0]
    assert "x opt." not in rows(without)[0]


def test_markdown_has_a_cell_in_every_place() -> None:
    odd = replace(FEW, families=(replace(FEW.families[0], name="a|b"), *FEW.families))
    table = [line for line in markdown.text(odd).splitlines() if line.startswith("|")]
    bars = {len(re.findall(r"(?<!\\)\|", line)) for line in table}
    assert (len(table), len(bars)) == (6, 1)


# --- pages


class Reader(HTMLParser):
    """What a page asks for from elsewhere, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.wanted: list[str] = []
        self.cells: list[str] = []
        self._tag = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        self.wanted += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self._tag == "td" and data.strip():
            self.cells.append(data)


def test_a_page_needs_nothing_else() -> None:
    assert Reader(html_page.page(FEW, {"ranking": b"png"})).wanted == ["data:image/png;base64,cG5n"]


def test_a_page_shows_names_as_they_are() -> None:
    odd = replace(failed("<b>x</b>"), arguments=1)
    page = html_page.page(replace(FEW, families=(*FEW.families, odd)), [])
    assert "<b>x</b>" not in page
    assert "<b>x</b>" in "".join(Reader(page).cells)


# --- charts


def call_for_group(chart: Chart) -> set[str]:
    if isinstance(chart, Curves):
        return {part.family for part in (*chart.lines, *chart.points)}
    if isinstance(chart, Panels):
        return {panel.name for panels in chart.groups.values() for panel in panels}
    return {row.family if isinstance(row, Interval) else row for row in chart.rows}


def test_every_family_is_in_every_chart() -> None:
    keys = [chart.key for chart in charts(MANY)]
    assert keys == ["ranking", "learning_rates", "losses", "basins", "progress", "importances"]
    assert all(call_for_group(chart) == set(NAMES) for chart in charts(MANY))


def test_28_families_look_different_and_a_family_always_the_same() -> None:
    looks = styles(f"family {i:02}" for i in range(28))
    assert len(set(looks.values())) == 28
    assert styles(reversed(NAMES)) == styles(NAMES)


def test_a_logarithmic_axis_has_positive_values_only() -> None:
    history = tuple(dict(row) | {"excess_loss": -1e-17} for row in FEW.families[0].history[-1:])
    first = replace(FEW.families[0], history=(*FEW.families[0].history[:-1], *history))
    found = replace(FEW, families=(first, *FEW.families[1:]))
    for chart in charts(found):
        if isinstance(chart, Curves) and chart.y.log:
            assert min(y for line in chart.lines for y in line.y) > 0


def test_the_best_so_far_never_rises() -> None:
    progress = next(chart for chart in charts(MANY) if chart.key == "progress")
    assert isinstance(progress, Curves)
    assert all(a >= b for line in progress.lines for a, b in pairwise(line.y))


def test_what_was_pruned_or_failed_is_marked() -> None:
    progress = next(chart for chart in charts(FEW) if chart.key == "progress")
    assert isinstance(progress, Curves)
    marked = sum(len(p.x) for p in progress.points if p.mark in ("pruned", "failed"))
    lost = sum(f.counts["pruned"] + f.counts["failed"] for f in FEW.families)
    assert marked == lost > 0


def test_a_family_without_a_complete_trial_is_in_no_chart_and_breaks_none() -> None:
    found = replace(FEW, families=(*FEW.families, failed("broken")))
    assert all("broken" not in call_for_group(chart) for chart in charts(found))


def test_a_sweep_with_nothing_complete_has_no_charts() -> None:
    assert charts(replace(FEW, verdict=None, families=(failed("broken"),))) == []


@pytest.mark.parametrize("which", [FEW, MANY], ids=["3", "24"])
def test_all_files_are_there_and_readable(which: Review, tmp_path: Path) -> None:
    shown: list[str] = []
    write(which, tmp_path, shown.append)
    assert which.verdict == Verdict.from_json((tmp_path / "verdict.json").read_text())
    with (tmp_path / "trials.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 20 * len(which.families)
    for chart in charts(which):
        with Image.open(tmp_path / "plots" / f"{chart.key}.png") as image:
            assert image.width == 1056
            assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 20
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 2_000_000
    assert shown[-3:] == ["verdict.md", "verdict.html", "verdict.json"]


def test_an_unfinished_sweep_has_no_verdict_file(tmp_path: Path) -> None:
    write(replace(FEW, verdict=None), tmp_path)
    assert not (tmp_path / "verdict.json").exists()
    assert "unfinished" in (tmp_path / "verdict.md").read_text()


def test_a_pick_that_diverged_is_said_to() -> None:
    found = evaluated(cosine=1.0, step=2.0)
    assert found.verdict is not None
    entrants = [Finalist("cosine", 0, (1.0, 1.1)), Finalist("step", 0, (2.0, math.inf))]
    out = Excluded("none", 7, "RuntimeError: no data")
    verdict = replace(found.verdict, ranking=rank(entrants, 20), excluded=(out,))
    bad = replace(found, verdict=verdict)
    assert "step: the selected trial diverged on 1 of 2 fresh seeds" in notes(bad)
    assert "none: trial 7 could not be evaluated: RuntimeError: no data" in notes(bad)
    assert rows(bad)[1]["loss"] == "diverged on 1 of 2"


def test_a_sweep_is_described_by_its_latest_trial_that_trained(tmp_path: Path) -> None:
    trials = []
    for number, (folder, epochs) in enumerate([("run-9/0", 9), ("run-10/1", 10), ("run-10/2", 0)]):
        artifacts = tmp_path / folder / "artifacts"
        artifacts.mkdir(parents=True)
        if epochs:  # the last one's config was refused
            (artifacts / "config.yaml").write_text(f"epochs: {epochs}")
        trials.append(TrialRow(number, "complete", folder=str(artifacts.parent)))
    family = FamilyReview("step", tuple(trials))
    assert read_review.review_of("mine", (family,), None).epochs == 10


def test_an_interrupted_trial_is_not_called_failed() -> None:
    trials = (TrialRow(0, "complete", 0.5), TrialRow(1, "interrupted", reason="interrupted"))
    swept = Review("mine", "moons", 3, 1, 2, (FamilyReview("step", trials),))
    (row,) = rows(swept)
    assert "failed" not in row
    assert row["interrupted"] == "1"


def test_a_command_is_printed_in_one_line() -> None:
    command = f"python -m sweeps -m {' '.join(f'task.key{i}=value' for i in range(30))}"
    swept = Review("mine", "moons", 3, 1, 2, (FamilyReview("step"),), command=command)
    assert f"continue with: {command}" in terminal.text(swept).splitlines()


def test_the_chart_of_learning_rates_has_the_best_possible_ones_beside_them() -> None:
    assert FEW.verdict is not None
    best = ((0.0, 0.4), (1.0, 0.2))
    found = learning_rates(replace(FEW, verdict=replace(FEW.verdict, best_lrs=best)))
    assert isinstance(found, Curves)
    *lines, theory = found.lines
    assert lines == list(learning_rates(FEW).lines)  # type: ignore[union-attr]
    assert (theory.family, theory.y) == ("the best possible", (0.4, 0.2))
