import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lrlab import curves

steps = st.integers(0, 10_000)


@given(steps, st.integers(1, 500), st.floats(0, 1), st.data())
def test_warmed_curves_stay_between_zero_and_one(
    step: int, total: int, end: float, data: st.DataObject
) -> None:
    warmup = data.draw(st.integers(0, total - 1))
    decay = data.draw(st.integers(1, total - warmup))
    values = [
        curves.warmup_cosine(step, total=total, warmup=warmup, end_factor=end),
        curves.warmup_linear(step, total=total, warmup=warmup, end_factor=end),
        curves.wsd(step, total=total, warmup=warmup, decay=decay, end_factor=end),
        curves.inverse_sqrt(step, warmup=warmup),
        curves.rex(step, total=total),
    ]
    assert all(0 <= value <= 1 for value in values)


@given(st.integers(1, 500), st.floats(0, 1), st.integers(0, 1000), st.data())
def test_curves_with_an_end_hold_it(
    total: int, end: float, beyond: int, data: st.DataObject
) -> None:
    warmup = data.draw(st.integers(0, total - 1))
    for curve in (curves.warmup_cosine, curves.warmup_linear):
        assert curve(total + beyond, total=total, warmup=warmup, end_factor=end) == (
            pytest.approx(end, abs=1e-12)
        )
    assert curves.rex(total + beyond, total=total) == 0


@given(st.integers(0, 300), st.lists(st.floats(0, 3), min_size=1, max_size=6), st.booleans())
def test_a_free_form_has_its_peak_at_one_and_falls_if_monotone(
    warmup: int, ratios: list[float], monotone: bool
) -> None:
    form = {"total": warmup + 60, "warmup": warmup, "start_factor": 0.5, "ratios": ratios}
    values = [curves.free_form(t, **form, monotone=monotone) for t in range(warmup + 99)]
    assert max(values) <= 1
    knots = [curves.free_form(warmup + 60 * i / len(ratios), **form) for i in range(len(ratios))]
    assert max(*knots, values[-1]) == pytest.approx(1) or monotone
    falling = values[warmup:]
    assert not monotone or falling == sorted(falling, reverse=True)


@given(st.integers(1, 300), st.data())
def test_the_peak_is_reached_right_after_the_warm_up(total: int, data: st.DataObject) -> None:
    warmup = data.draw(st.integers(0, total - 1))
    assert curves.warmup_cosine(warmup, total=total, warmup=warmup) == 1
    assert curves.warmup_linear(warmup, total=total, warmup=warmup) == 1
    assert curves.inverse_sqrt(warmup, warmup=warmup) == 1
    ramp = [curves.warmup_linear(t, total=total, warmup=warmup) for t in range(warmup + 1)]
    assert ramp == sorted(ramp)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: curves.warmup_cosine(0, total=20, warmup=30),
            "warmup must be shorter than total, got warmup=30 total=20",
        ),
        (lambda: curves.inverse_sqrt(0, warmup=-1), "warmup must be at least 0, got warmup=-1"),
        (
            lambda: curves.wsd(0, total=10, warmup=5, decay=6),
            "warmup + decay at most total, got decay=6 warmup=5 total=10",
        ),
        (lambda: curves.rex(0, total=0), "total must be at least 1, got total=0"),
        (lambda: curves.inverse_time(0, decay=-1.0), "decay must be at least 0, got decay=-1.0"),
        (
            lambda: curves.chebyshev(0, period=3, condition=2.0),
            "period must be a power of two, got period=3",
        ),
        (
            lambda: curves.chebyshev(0, period=4, condition=0.5),
            "condition must be at least 1, got condition=0.5",
        ),
        (lambda: curves.expression(0, expression="'a'"), "expression must give a number"),
        (lambda: curves.expression(0, expression="1 / epoch"), "division by zero"),
    ],
)
def test_impossible_arguments_are_refused_by_name(call, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        call()


def test_chebyshev_steps_reach_the_best_possible_contraction() -> None:
    """Young 1953: after n steps the worst factor is 1 / T_n((L + mu) / (L - mu))."""
    n, condition = 16, 50.0
    eigenvalues = torch.linspace(1 / condition, 1, 20_001, dtype=torch.float64)
    best_constant = 2 / (1 + 1 / condition)
    factors = torch.ones_like(eigenvalues)
    for step in range(n):
        lr = best_constant * curves.chebyshev(step, period=n, condition=condition)
        factors *= 1 - lr * eigenvalues
    optimum = 1 / math.cosh(n * math.acosh((condition + 1) / (condition - 1)))
    assert factors.abs().max().item() == pytest.approx(optimum, rel=1e-9)
    assert optimum == pytest.approx(0.02101, abs=5e-6)


@given(st.sampled_from([1, 2, 4, 8, 16, 32]), st.floats(1, 1000), steps)
def test_chebyshev_repeats_the_same_steps_each_period(
    period: int, condition: float, start: int
) -> None:
    one = [curves.chebyshev(t, period=period, condition=condition) for t in range(period)]
    start *= period
    again = [curves.chebyshev(start + t, period=period, condition=condition) for t in range(period)]
    assert one == again
