"""Hydra's grammar as Optuna's distributions."""

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from optuna_families.search_space.distributions import dimension
from optuna_families.search_space.value_lists import grid
from optuna_families.sweep.studies import describe


def parsed(line: str) -> Any:
    return dimension(OverridesParser.create().parse_override(line))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # The official plugin's own table.
        ("key=choice(1,2)", CategoricalDistribution([1, 2])),
        ("key=choice(true, false)", CategoricalDistribution([True, False])),
        ("key=choice('hello', 'world')", CategoricalDistribution(["hello", "world"])),
        ("key=range(1,3)", IntDistribution(1, 3)),
        ("key=interval(1, 5)", FloatDistribution(1, 5)),
        ("key=int(interval(1, 5))", IntDistribution(1, 5)),
        ("key=tag(log, interval(1, 5))", FloatDistribution(1, 5, log=True)),
        ("key=tag(log, int(interval(1, 5)))", IntDistribution(1, 5, log=True)),
        ("key=range(0.5, 5.5, step=1)", FloatDistribution(0.5, 5.5, step=1)),
        # And what it has no row for.
        ("key=a,'b c',null", CategoricalDistribution(["a", "b c", None])),
        ("key=choice([1,2],{a: 1})", CategoricalDistribution(["[1,2]", "{a:1}"])),
        ("key=range(0, 10, 3)", IntDistribution(0, 9, step=3)),
        ("key=range(0, 0.35, step=0.1)", FloatDistribution(0, 0.3, step=0.1)),
        ("+key=interval(0, 1)", FloatDistribution(0, 1)),
    ],
)
def test_a_range_becomes_a_distribution(line: str, expected: Any) -> None:
    assert parsed(line).distribution == expected


def test_shuffle_makes_a_choice() -> None:
    assert set(parsed("key=shuffle(range(1,3))").distribution.choices) == {1, 2}


def test_a_list_as_a_choice_is_a_list_in_the_config() -> None:
    dim = parsed("betas=choice([0.9,0.99],[0.8,0.9])")
    assert dim.value("[0.8,0.9]") == [0.8, 0.9]


@pytest.mark.parametrize(
    "line",
    [
        "k=range(5, 1)",
        "k=interval(2, 1)",
        "k=tag(log, interval(0, 1))",
        "k=interval(0.1, inf)",
        "k=interval(nan, 1)",
        "k=range(1, inf)",
        "k=shuffle(range(1, inf))",
        "k=range(0, 5, 0)",
        "k=tag(log, range(0.1, 1.0, step=0.1))",
        "k=tag(log, range(1, 9, 2))",
    ],
)
def test_an_impossible_range_is_refused_by_name(line: str) -> None:
    with pytest.raises(HydraException, match=r"k=.*impossible range"):
        parsed(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("k=tag(lgo, interval(1, 2))", r"unknown tag lgo \(did you mean log\?\); there is log"),
        ("k=tag(lgo, choice(1, 2))", "unknown tag lgo"),
        ("k=tag(log, choice(1, 2))", "the tag log is for interval"),
        ("k=tag(log, shuffle(range(1, 3)))", "the tag log is for interval"),
    ],
)
def test_an_unknown_tag_is_rejected_with_its_key(line: str, said: str) -> None:
    with pytest.raises(HydraException, match=said):
        parsed(line)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("k=range(1, 9, 3)", [1, 4, 7]),
        ("k=range(1, 7, 3)", [1, 4]),
        ("k=range(0, 0.35, step=0.1)", [0.0, 0.1, 0.2, 0.3]),
        ("k=range(3, 3)", [3]),
        ("k=int(interval(1, 4))", [1, 2, 3, 4]),
    ],
)
def test_a_grid_excludes_only_the_end_of_a_range(line: str, expected: list[Any]) -> None:
    assert grid(parsed(line)) == expected


@pytest.mark.parametrize(
    ("line", "value", "expected"),
    [("k=range(1, 9)", 5.0, "5"), ("k=interval(0, 2)", 1, "1.0"), ("k=choice(1, 2)", 1, "1")],
)
def test_a_value_of_the_config_is_suggested_as_the_range_s_kind(
    line: str, value: Any, expected: str
) -> None:
    assert repr(parsed(line).suggestion(value)) == expected


def test_a_grid_over_an_interval_is_refused_by_name() -> None:
    with pytest.raises(HydraException, match=r"^lr: a grid needs a countable range"):
        grid(parsed("lr=interval(0, 1)"))


@given(st.integers(-50, 50), st.integers(9, 50), st.integers(1, 9))
def test_a_grid_s_values_lie_in_the_range(low: int, width: int, step: int) -> None:
    dim = parsed(f"k=range({low}, {low + width}, {step})")
    values = grid(dim)
    assert values == list(range(low, low + width, step))
    assert all(dim.contains(value) for value in values)


@given(st.floats(-9, 9), st.floats(0, 9))
def test_a_described_interval_reads_back(low: float, width: float) -> None:
    distribution = FloatDistribution(low, low + width)
    assert parsed(f"k={describe(distribution)}").distribution == distribution


@pytest.mark.parametrize(
    ("line", "value", "inside"),
    [
        ("k=range(1, 9, 2)", 3, True),
        ("k=range(1, 9, 2)", 4, False),
        ("k=range(0.5, 5.5, step=0.1)", 0.8, True),
        ("k=interval(0, 1)", 1, True),
        ("k=interval(0, 1)", None, False),
        ("k=interval(0, 1)", True, False),
        ("k=choice(1, 2)", 1, True),
        ("k=choice(1, 2)", True, False),
        ("k=choice(a, b)", "c", False),
    ],
)
def test_contains_tells_whether_a_default_is_in_the_range(
    line: str, value: Any, inside: bool
) -> None:
    assert parsed(line).contains(value) is inside
