"""Whatever a config holds, it is refused or used in a moment, in one line."""

from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from lrlab.expressions import evaluate
from optuna_families.search_space.distributions import dimension
from optuna_families.search_space.value_lists import grid
from optuna_families.settings import DEFAULTS, read
from sweeps.config.errors import in_words
from sweeps.config.resolvers import register_resolvers
from sweeps.trust.file_bounds import check_bounds

pytestmark = pytest.mark.timeout(100)  # each takes milliseconds, and a hang would take hours

EXPRESSIONS = {
    "power": "4000000**4000000",
    "power of a power": "(7**3000)**3000",
    "product of powers": "*".join(["7**3000"] * 50),
    "power behind a sign": "-(4000000**4000000)",
    "power in a branch that is not taken": "1 if True else 4000000**4000000",
    "shift": "1 << 10**9",
    "rounding": "round(1, -10**9)",
    "rounding by name": "round(number=12345678, ndigits=-10**9)",
    "signs": "-" * 100_000 + "1",
    "brackets": "(" * 500 + "1" + ")" * 500,
    "sum": "1" + "+1" * 20_000,
    "arguments": f"min({'1,' * 50_000}1)",
    "format": "'%1000000000d' % 1",
    "text": "'a' * 10**9",
    "texts": "'a' * 99999 * 99999",
    "digits": "9" * 900 + "**9" * 20,
    "digits in a text": "int('9' * 90000)",
    "list": "[1] * 10**9",
    "long result": "'a' * 90000",
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_that_would_take_long_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be computed") as refused:
        evaluate(EXPRESSIONS[name])
    assert len(str(refused.value)) < 1200
    assert "\n" not in str(refused.value)


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, levels))]
    return "\n".join(lines)


FILES = {
    "aliases": bomb(30),
    "aliases in keys": "a: &a {x: 1}\n"
    + "b: {"
    + ", ".join(f"k{i}: *a" for i in range(20_000))
    + "}",
    "alias of itself": "a: &a {b: *a}",
    "alias of nothing": "a: *b",
    "depth": "a: " + "[" * 100_000,
    "depth by indentation": "\n".join(" " * i + "a:" for i in range(300)),
    "values": "a: [" + "1," * 30_000 + "]",
    "long value": "a: " + "9" * 50_000,
    "sexagesimal": "a: 1" + ":10" * 50_000,
    "bytes": "a: b #" + "x" * 1_100_000,
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_would_take_long_to_read_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(FILES[name])
    with pytest.raises(HydraException, match=r"a\.yaml: .*at most"):
        check_bounds(file)


RANGES = {
    "grid": "x=range(0, 1000000000000)",
    "grid of small steps": "x=range(0.0, 1.0, 1e-12)",
    "grid of no end": "x=range(0, 1e999)",
    "shuffled": "x=shuffle(range(0, 1000000000000))",
    "shuffled small steps": "x=shuffle(range(1.0, 0.0, -1e-12))",
}


@pytest.mark.parametrize("name", RANGES)
def test_a_range_that_would_be_a_long_list_is_refused(name: str) -> None:
    override = OverridesParser.create().parse_override(RANGES[name])
    with pytest.raises(HydraException, match=r"x[:=].*(at most 100000|finite ends)"):
        grid(dimension(override))


@pytest.mark.parametrize("key", ["n_trials", "n_jobs", "batch_size", "timeout"])
@pytest.mark.parametrize("value", [10**400, float("inf"), float("nan"), "9" * 4000])
def test_a_number_without_bounds_is_refused_by_a_short_line(key: str, value: object) -> None:
    with pytest.raises(HydraException, match=rf"hydra\.sweeper\.{key} must be a") as refused:
        read(DEFAULTS | {key: value})
    assert len(str(refused.value)) < 500


INTERPOLATIONS = {
    "signs": "${calc:'" + "-" * 3000 + "1'}",
    "depth": "${a:" * 500 + "}" * 500,
    "loop": "${a}",
    "loop of two": "${b}",
    "doubling": "${c0}",
}


@pytest.mark.parametrize("name", INTERPOLATIONS)
def test_an_interpolation_that_would_take_long_is_refused(name: str) -> None:
    register_resolvers()
    chain = {f"c{i}": f"${{c{i + 1}}}${{c{i + 1}}}" for i in range(40)} | {"c40": "x"}
    with pytest.raises((OmegaConfBaseException, RecursionError)) as refused:
        _ = OmegaConf.create({"a": INTERPOLATIONS[name], "b": "${a}", **chain}).a
    assert "\n" not in in_words(refused.value)
