"""Ranking against theory, its own symmetries, and searches made of random numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from lrlab.ranking import Finalist, Ranking, choose, rank
from lrlab.ranking.one_tuning import holm
from lrlab.ranking.search_luck import isotonic, miss_probability, reversal_probabilities
from lrlab.ranking.seed_tests import interval, not_worse, worse_than_smallest

INF = math.inf


def finalists(**losses: object) -> list[Finalist]:
    """For each family an array (ranks, seeds)."""
    return [
        Finalist(name, place, tuple(map(float, row)))
        for name, rows in losses.items()
        for place, row in enumerate(np.atleast_2d(np.asarray(rows, dtype=float)))
    ]


def drawn(rng: np.random.Generator, mean: float, ranks: int = 8, seeds: int = 12) -> np.ndarray:
    steps = 0.05 * np.arange(ranks)[:, None]
    return mean + steps + 0.05 * rng.standard_normal((ranks, seeds))


# --- against theory


def test_interval_is_students() -> None:
    losses = np.random.default_rng(1).gamma(4.0, size=9)
    expected = stats.ttest_1samp(losses, 0).confidence_interval(0.95)
    assert interval(losses) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_seeds_are_judged_by_the_paired_t_test() -> None:
    one, other = np.random.default_rng(2).gamma(4.0, size=(2, 9))
    expected = stats.ttest_rel(other, one + 0.1, alternative="greater").pvalue
    assert not_worse(other - one, 0.1) == pytest.approx(expected, rel=1e-12)


def test_of_two_families_the_studentized_range_is_students_two_sided_t() -> None:
    worse = np.random.default_rng(3).normal(1.0, 1.0, size=9)
    expected = stats.ttest_1samp(worse, 0).pvalue
    assert worse_than_smallest(worse, 0.0, 2) == pytest.approx(expected, rel=1e-12)
    t = stats.ttest_1samp(worse, 0).statistic
    limit = stats.studentized_range.sf(math.sqrt(2) * t, 2, 8)
    assert expected == pytest.approx(limit, rel=1e-6)


def test_tukeys_table_of_the_studentized_range() -> None:
    # q(0.05; 10 means, 10 degrees of freedom) = 5.60 in every table.
    errors = np.random.default_rng(4).standard_normal(11)
    errors = (errors - errors.mean()) / errors.std(ddof=1)
    mean = 5.598 / math.sqrt(2) / math.sqrt(11)
    assert worse_than_smallest(errors + mean, 0.0, 10) == pytest.approx(0.05, abs=2e-4)


def test_diverged_seeds_are_judged_by_the_sign_test() -> None:
    differences = np.array([INF, INF, 0.5, 0.5, 0.5, -0.5, 0.5, 0.5])
    expected = stats.binomtest(7, 8, alternative="greater").pvalue
    assert not_worse(differences, 0.0) == pytest.approx(expected, rel=1e-12)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.02, 0.03, 0.005]) == pytest.approx([0.03, 0.04, 0.04, 0.02])


@pytest.mark.parametrize("lead", [1, 3, 6])
def test_the_search_alone_gives_the_probability_of_the_precedence_test(lead: int) -> None:
    # `lead` trials of one ahead of all of the other, which then are ahead of all the rest.
    better = np.repeat(np.r_[np.zeros(lead), np.full(8 - lead, 2.0)][:, None], 4, axis=1)
    other = np.ones((8, 4))
    search, both = reversal_probabilities(better, other, 0.0, n_trials=8)
    assert search == pytest.approx(0.5**lead, rel=1e-9)
    assert both == pytest.approx(search, rel=1e-9)


def test_coins_decide_who_has_the_next_best_trial() -> None:
    # Two tunings of 20 independent trials of one and the same family.
    rng = np.random.default_rng(5)
    leads = [_lead(*np.sort(rng.random((2, 20)), axis=1)) for _ in range(4000)]
    seen = [np.mean([lead >= r for lead in leads]) for r in (2, 4)]
    assert seen == pytest.approx([0.5, 0.125], abs=0.03)


def _lead(one: np.ndarray, other: np.ndarray) -> int:
    ahead, behind = (one, other) if one[0] < other[0] else (other, one)
    return int((ahead < behind[0]).sum())


def test_smoothing_is_isotonic_regression() -> None:
    losses = np.random.default_rng(6).gamma(4.0, size=(12, 5))
    expected = stats_isotonic(losses.mean(axis=1))
    assert isotonic(losses).mean(axis=1) == pytest.approx(expected, rel=1e-12)


def stats_isotonic(values: np.ndarray) -> np.ndarray:
    from scipy.optimize import isotonic_regression

    return np.asarray(isotonic_regression(values).x)


def test_a_longer_tuning_by_a_learning_sampler_tells_less_a_trial() -> None:
    assert [miss_probability(n) for n in (1, 20, 160)] == pytest.approx([0.5, 0.5, 0.5**0.5])


# --- corner cases


def test_equal_losses_cannot_be_told_apart() -> None:
    ranking = rank(finalists(a=np.full((8, 6), 0.04), b=np.full((8, 6), 0.04)), 20)
    assert ranking.tied == ("a", "b")
    assert ranking.standings[1].p_corrected == 1


def test_differences_in_the_ninth_digit_do_not_matter() -> None:
    digits = 1e-9 * np.arange(8)[:, None] + np.zeros((8, 6))
    ranking = rank(finalists(a=0.0395 + digits, b=0.0395 + 1e-8 + digits), 20)
    assert ranking.tied == ("a", "b")


def test_one_seed_says_nothing() -> None:
    ranking = rank(finalists(a=np.full((8, 1), 1.0), b=np.full((8, 1), 9.0)), 20)
    assert ranking.tied == ("a", "b")
    assert [standing.interval for standing in ranking.standings] == [None, None]


def test_one_finalist_says_nothing_of_the_luck_of_the_search() -> None:
    ranking = rank(finalists(a=[[1.0, 1.1, 1.0]], b=[[9.0, 9.1, 9.0]]), 20)
    assert ranking.standings[1].p_seeds < 0.001
    assert ranking.tied == ("a", "b")


def test_one_family_is_best_of_one() -> None:
    ranking = rank(finalists(a=drawn(np.random.default_rng(0), 1.0)), 20)
    assert (ranking.best.family, ranking.tied) == ("a", ("a",))


def test_a_family_that_diverges_on_every_fresh_seed_is_told_from_one_that_does_not() -> None:
    fine = drawn(np.random.default_rng(0), 1.0)
    ranking = rank(finalists(bad=np.full((8, 12), np.nan), fine=fine), 20)
    assert ranking.tied == ("fine",)
    assert (ranking.standings[1].mean, ranking.standings[1].diverged) == (INF, 12)


def test_a_pick_that_diverged_once_is_never_best_but_may_be_as_good() -> None:
    rng = np.random.default_rng(0)
    risky = drawn(rng, 1.0)
    risky[0, 3] = INF
    ranking = rank(finalists(risky=risky, safe=drawn(rng, 1.0)), 20)
    assert (ranking.best.family, ranking.tied) == ("safe", ("safe", "risky"))


def test_where_all_diverge_nothing_can_be_told() -> None:
    ranking = rank(finalists(a=np.full((8, 6), INF), b=np.full((8, 6), INF)), 20)
    assert ranking.tied == ("a", "b")


@pytest.mark.parametrize(
    ("entrants", "message"),
    [
        ([], "no finalists"),
        ([Finalist("a", 1, (1.0,))], "ranks must be 0, 1, 2"),
        ([Finalist("a", 0, (1.0,)), Finalist("a", 0, (1.0,))], "two finalists of rank 0"),
        ([Finalist("a", 0, (1.0,)), Finalist("b", 0, (1.0, 2.0))], r"same seeds.*\[1, 2\]"),
    ],
)
def test_entrants_that_cannot_be_compared_are_refused(
    entrants: list[Finalist], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        rank(entrants, 20)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"n_trials": 0}, "n_trials must be at least 1, got 0"),
        ({"n_trials": 5, "margin": -1.0}, "margin must be at least 0, got -1.0"),
        ({"n_trials": 5, "level": 1.0}, "level must lie between 0 and 1, got 1.0"),
    ],
)
def test_numbers_out_of_range_are_refused(numbers: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rank([Finalist("a", 0, (1.0,))], **numbers)  # type: ignore[arg-type]


# --- symmetries


families = st.integers(0, 2**32 - 1).map(
    lambda seed: {
        name: drawn(np.random.default_rng([seed, i]), 1.0 + 0.2 * i * (seed % 3))
        for i, name in enumerate("abc")
    }
)


def ps(ranking: Ranking) -> dict[str, float]:
    return {standing.family: standing.p_corrected for standing in ranking.standings}


@settings(max_examples=20, deadline=None)
@given(losses=families, order=st.permutations("abc"))
def test_the_order_of_families_does_not_matter(losses: dict, order: list[str]) -> None:
    shuffled = {name: losses[name] for name in order}
    assert rank(finalists(**shuffled), 20) == rank(finalists(**losses), 20)


@settings(max_examples=20, deadline=None)
@given(losses=families, factor=st.floats(1e-6, 1e6))
def test_the_unit_of_the_loss_does_not_matter(losses: dict, factor: float) -> None:
    scaled = {name: factor * rows for name, rows in losses.items()}
    expected = pytest.approx(ps(rank(finalists(**losses), 20)), rel=1e-6, abs=1e-9)
    assert ps(rank(finalists(**scaled), 20)) == expected


@settings(max_examples=20, deadline=None)
@given(losses=families, constant=st.floats(-10, 10))
def test_without_a_margin_a_constant_does_not_matter(losses: dict, constant: float) -> None:
    moved = {name: constant + rows for name, rows in losses.items()}
    expected = pytest.approx(ps(rank(finalists(**losses), 20, margin=0)), rel=1e-6, abs=1e-9)
    assert ps(rank(finalists(**moved), 20, margin=0)) == expected


@settings(max_examples=20, deadline=None)
@given(losses=families)
def test_every_p_is_a_probability_and_the_best_is_tied_with_itself(losses: dict) -> None:
    ranking = rank(finalists(**losses), 20)
    assert all(0 <= p <= 1 for p in ps(ranking).values())
    assert ranking.tied[0] == ranking.best.family


# --- against random searches


def searched(rng: np.random.Generator, floor: float, noise: float) -> np.ndarray:
    """True losses of the 8 best by one noisy value of 20 random points in a quadratic basin."""
    points = rng.random((20, 3))
    true = floor + 6 * ((points - 0.6) ** 2).sum(axis=1)
    tuned = true * np.exp(noise * rng.standard_normal(20))
    return np.asarray(true[np.argsort(tuned)[:8]])


def verdict(rng: np.random.Generator, floors: list[float], noise: float) -> Ranking:
    """Tune, pick on 8 selection seeds, judge on 16 fresh ones; half of the noise is the seed's."""
    seeds, entrants = rng.standard_normal(24), []
    for name, floor in enumerate(floors):
        true = searched(rng, floor, noise)
        luck = math.sqrt(0.5) * (seeds + rng.standard_normal((8, 24)))
        losses = true[:, None] * np.exp(noise * luck - noise**2 / 2)
        order = np.argsort(losses[:, :8].mean(axis=1))
        entrants += [
            Finalist(str(name), place, tuple(row)) for place, row in enumerate(losses[order, 8:])
        ]
    return rank(entrants, 20)


@pytest.mark.parametrize(("noise", "families"), [(0.05, 3), (0.5, 2)])
def test_equals_are_called_different_in_at_most_one_of_twenty(noise: float, families: int) -> None:
    rng = np.random.default_rng(7)
    called = sum(len(verdict(rng, [1.0] * families, noise).tied) < families for _ in range(300))
    assert called <= stats.binom.ppf(0.99, 300, 0.05)


def test_twenty_four_equals_are_all_tied() -> None:
    rng = np.random.default_rng(8)
    called = sum(len(verdict(rng, [1.0] * 24, 0.3).tied) < 24 for _ in range(20))
    assert called <= stats.binom.ppf(0.99, 20, 0.05)


def test_a_gap_as_large_as_the_loss_is_found_in_three_of_four() -> None:
    rng = np.random.default_rng(9)
    found = sum(verdict(rng, [1.0, 2.0], 0.05).tied == ("0",) for _ in range(200))
    assert found >= 150


@pytest.mark.parametrize("equal", [True, False])
def test_where_only_seeds_matter_the_test_is_exact_enough_and_strong(equal: bool) -> None:
    rng, told = np.random.default_rng(10), 0
    for _ in range(300):
        seeds = rng.standard_normal((2, 1, 12))
        losses = {"a": 1 + 0.1 * seeds[0], "b": (1 if equal else 1.2) + 0.1 * seeds[1]}
        full = {name: np.repeat(rows, 8, axis=0) for name, rows in losses.items()}
        told += len(rank(finalists(**full), 20).tied) < 2
    assert told <= stats.binom.ppf(0.99, 300, 0.05) if equal else told >= 285


# --- several tunings


def over_tunings(
    seed: int, *scales: float, spread: float = 0.3, tunings: int = 5
) -> list[Finalist]:
    """Families a, b, ... whose excess losses over tunings and draws are lognormal."""
    rng = np.random.default_rng(seed)
    found, common = [], rng.normal(0.0, 0.3, (tunings, 10))
    for name, scale in zip("abcdef", scales, strict=False):
        luck = rng.normal(0.0, spread, (tunings, 1)) + common + rng.normal(0.0, 0.2, (tunings, 10))
        excess = scale * np.exp(luck)
        found += [
            Finalist(name, 0, tuple(0.04 + row), tuning, (0.04,) * 10)
            for tuning, row in enumerate(excess)
        ]
    return found


def answers(found: Ranking) -> dict[str, str]:
    return {one.family: one.answer for one in found.standings}


def test_equals_over_tunings_are_called_worse_in_at_most_one_of_twenty() -> None:
    called = [bool(rank(over_tunings(i, 1.0, 1.0), 150).of("worse")) for i in range(400)]
    assert np.mean(called) < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 400)


def test_twice_the_excess_is_found_in_four_of_five() -> None:
    found = [answers(rank(over_tunings(i, 1.0, 2.0), 150)) for i in range(100)]
    assert np.mean([one == {"a": "best", "b": "worse"} for one in found]) > 0.8


def test_families_that_hardly_vary_are_equal_within_the_margin_and_not_beyond() -> None:
    near = rank(over_tunings(1, 1.0, 1.05, spread=0.01), 150)
    assert answers(near) == {"a": "best", "b": "equal"}
    assert near.standings[1].ratio == pytest.approx(1.05, abs=0.1)
    assert answers(rank(over_tunings(1, 1.0, 1.6, spread=0.01), 150))["b"] == "worse"


def test_what_is_unknown_says_how_many_tunings_would_tell() -> None:
    few = rank(over_tunings(3, 1.0, 1.6, spread=0.8), 150).standings[1]
    assert few.answer == "unknown"
    assert 5 < few.more_tunings < 200


def test_an_excess_at_rounding_is_equal_whatever_its_ratio() -> None:
    found = rank(over_tunings(1, 1e-12, 1e-9), 150)
    assert answers(found)["b"] == "equal"
    assert all(one.at_rounding for one in found.standings)


def test_a_family_that_diverges_more_often_is_not_equal() -> None:
    entrants = over_tunings(1, 1e-12, 1e-12)
    lost = [
        replace(e, losses=(math.inf, *e.losses[1:])) if e.family == "b" else e for e in entrants
    ]
    assert answers(rank(entrants, 150)) == {"a": "best", "b": "equal"}
    assert answers(rank(lost, 150)) == {"a": "best", "b": "unknown"}
    champions = [Finalist(name, 0, (0.04,) * 30, bests=(0.04,) * 30) for name in "ab"]
    assert answers(rank(lost, 150, champions=champions))["b"] == "equal"  # both reach the optimum


def test_a_family_whose_champion_is_as_good_is_not_worse() -> None:
    entrants = over_tunings(1, 1.0, 4.0)
    fair = np.random.default_rng(0).gamma(9.0, 0.1, (2, 30))
    champions = [
        Finalist(name, 0, tuple(row), bests=(0.0,) * 30)
        for name, row in zip("ab", fair, strict=True)
    ]
    assert answers(rank(entrants, 150))["b"] == "worse"
    assert answers(rank(entrants, 150, champions=champions))["b"] == "unknown"


@given(st.integers(0, 1000), st.booleans())
@settings(max_examples=10, deadline=None)
def test_maximizing_the_negative_mirrors_everything(seed: int, several: bool) -> None:
    found = [replace(one, bests=()) for one in over_tunings(seed, 1.0, 1.5, 3.0)]
    if not several:
        found = [replace(one, rank=one.tuning, tuning=0) for one in found]
    negated = [replace(one, losses=tuple(-loss for loss in one.losses)) for one in found]
    down, up = rank(found, 20), rank(negated, 20, maximize=True)
    assert answers(down) == answers(up)
    for one, other in zip(down.standings, up.standings, strict=True):
        assert (one.mean, one.p_corrected, one.ratio) == (
            -other.mean,
            other.p_corrected,
            other.ratio,
        )


def test_families_of_several_tunings_need_the_same_ones() -> None:
    with pytest.raises(ValueError, match=r"same tunings, got \[4, 5\]"):
        rank(over_tunings(1, 1.0, 2.0)[:-1], 150)


def test_the_lr_just_below_the_limit_of_stability_is_not_chosen() -> None:
    losses = np.array([[[4.0, 4.0], [2.0, 2.0], [1.0, 1.0], [1.0, INF], [INF, INF]]])
    assert choose(losses) == (0, 1)
    assert choose(np.array([[[1.0, 1.0], [3.0, 3.0]], [[2.0, 2.0], [2.0, 2.0]]])) == (0, 0)
