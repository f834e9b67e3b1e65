"""The screen of a running sweep fits the terminal."""

import io

import pytest
from rich.console import Console

from optuna_families.progress.screen import FamilyProgress, SweepProgress, line, screen
from optuna_families.storage.trial_counts import TrialCounts

ROWS = [
    FamilyProgress(f"scheduler=family_{i}", TrialCounts(i, pruned=2, failed=i), 40, 1.0 / (i + 1))
    for i in range(24)
]
STATE = SweepProgress("night", ROWS, rate=12.3, left=42.0)


def drawn(state: SweepProgress, width: int, **options: object) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=True, **options)
    console.print(screen(state, width))
    return file.getvalue()


@pytest.mark.parametrize("width", [20, 80, 200])
def test_no_line_is_wider_than_the_terminal_and_the_best_family_is_first(width: int) -> None:
    lines = drawn(STATE, width, color_system=None).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 18
    assert lines[0].startswith("night")
    families = [text for text in lines if text.startswith("fami") and "_" in text]
    assert families[0].startswith("family_23"[: len(families[0].split()[0].rstrip("…"))])


def test_a_wide_terminal_shows_counts_and_the_time_left() -> None:
    text = drawn(STATE, 80, color_system=None)
    assert "324/960 trials" in text
    assert "12 trials/s, 42 s left, Ctrl-C stops" in text
    assert "and 12 more families" in text
    assert text.split("\n")[2].split() == ["family", "finished", "best", "pruned", "failed"]


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in drawn(STATE, 80)


def test_without_a_terminal_progress_is_a_line() -> None:
    said = line(SweepProgress("night", ROWS[:2], maximize=True, rate=0.5, left=7200.0))
    assert said == (
        "5/80 trials, 4 pruned, 1 failed, best 1 (scheduler=family_0), 30.0 trials/min, 2.0 h left"
    )
