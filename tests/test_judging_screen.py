"""How far the judging is, in a terminal of any width."""

import io

import pytest
from rich.console import Console

from sweeps.verdict.cost import Stage
from sweeps.verdict.judging import judging_screen
from sweeps.verdict.judging.judging_screen import JudgingScreen, shown

STAGES = [Stage("finalists, 5 learning rates each, 8 fresh draws each", 100), Stage("judged", 50)]


def drawn(width: int, **options: object) -> str:
    screen = JudgingScreen("judging 3 families", STAGES)
    screen.begin(80)
    screen(13)
    file = io.StringIO()
    Console(file=file, width=width, force_terminal=True, **options).print(screen)
    return file.getvalue()


@pytest.mark.parametrize("width", [20, 80, 200])
def test_no_line_of_the_judging_is_wider_than_the_terminal(width: int) -> None:
    lines = drawn(width, color_system=None).splitlines()
    assert max(map(len, lines)) <= width
    assert [lines[0], lines[2]] == ["judging 3 families"[:width], "13 of 130 trainings"]
    assert lines[3].startswith("finalists, 5 le")
    assert len(lines) == 5


def test_the_judging_has_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in drawn(80)


def test_without_a_terminal_the_judging_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = io.StringIO()
    with shown("judging 3 families", STAGES, Console(file=file, width=200)) as screen:
        screen.begin(100)
        screen(1)
        assert file.getvalue() == ""
        monkeypatch.setattr(judging_screen, "QUIET_SECONDS", 0.0)
        screen(99)
    assert file.getvalue().startswith("judging 3 families: 100 of 150 trainings, 0")
    assert file.getvalue().endswith(" s left\n")


def test_the_last_stage_may_be_one_that_nobody_expected() -> None:
    screen = JudgingScreen("judging 2 families", STAGES)
    for size in (100, 50, 30):
        screen.begin(size)
    assert screen.counts == "150 of 180 trainings"
    screen(30)
    assert screen.counts == "180 of 180 trainings"
