"""What a sweep suggests to try next, in sentences."""

import math
from dataclasses import replace

import pytest

from sweeps.reports.words.hints import hints
from tests.made_up import review

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ((9, 8, 10, 11, math.inf), "half the learning rate is better still (loss 8 instead of 10)"),
        ((10.1, 10, 10, 10.2, 10.3), "cosine of 0.25 to 4"),
        ((15, 12, 10, 12, 13), "cosine of 1 only"),
        ((10, 10, 10, 10, math.inf), "with four times the learning rate it diverged on 3 of 16"),
    ],
)
def test_the_learning_rate_s_neighbours_are_told_in_words(
    losses: tuple[float, ...], said: str
) -> None:
    swept = review()
    assert swept.verdict is not None
    around = tuple(zip(FACTORS, losses, strict=True))
    lost = tuple(3 if math.isinf(loss) else 0 for loss in losses)
    verdict = replace(swept.verdict, robustness=around, robustness_diverged=lost)
    assert any(said in line for line in hints(replace(swept, verdict=verdict)))


def test_a_best_trial_that_came_late_asks_for_more() -> None:
    swept = review()
    best = swept.families[0]
    assert best.best is not None
    others = [trial for trial in best.trials if trial.number != best.best.number]
    late = replace(best, trials=(*others, best.best))
    found = hints(replace(swept, families=(late, *swept.families[1:]), verdict=None))
    line = "cosine found its best trial late (20 of 20): more trials may find a better one"
    assert found == [line]
