"""What the plugin writes, Hydra reads back equal."""

import json
import shlex
from types import SimpleNamespace
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hypothesis import given, settings
from hypothesis import strategies as st

from optuna_families.search_space.distributions import dimension
from optuna_families.search_space.override_text import override, written
from optuna_families.sweep.resume_command import command

PARSER = OverridesParser.create()
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text("ab1.e+-'\"\\ ${}[](),=:<\t\n")
PLAIN = TEXTS | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none()
KEYS = st.from_regex(
    r"[a-z_][\w\-/.+*$%@?|(){}\[\]:=, \\]*", fullmatch=True, alphabet=st.characters(codec="ascii")
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
)


def exact(value: Any) -> Any:
    """A value with the types of all its parts: 1 is neither 1.0 nor True."""
    if isinstance(value, dict):
        return [(exact(key), exact(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [exact(inner) for inner in value]
    return type(value), value


def writable(value: Any) -> bool:
    """Whether the grammar can express a value: a key that looks like a number cannot."""
    try:
        written(value)
    except HydraException:
        return False
    return True


@settings(deadline=None)
@given(VALUES.filter(writable))
def test_any_value_is_read_back_equal(value: Any) -> None:
    assert exact(PARSER.parse_override(override("key", value)).value()) == exact(value)


@settings(deadline=None)
@given(st.lists(VALUES.filter(writable), min_size=2, max_size=3))
def test_a_choice_among_any_values_gives_one_of_them(values: list[Any]) -> None:
    line = f"key={','.join(map(written, values))}"
    found = dimension(PARSER.parse_override(line))
    chosen: Any = found.distribution
    assert [exact(found.value(name)) for name in chosen.choices] == list(map(exact, values))


@pytest.mark.parametrize("value", [{"1": 1}, {"it's": 1}, {"true": 1}, [{"\n": 1}], b"", {1, 2}])
def test_a_value_that_the_grammar_cannot_express_is_rejected(value: Any) -> None:
    with pytest.raises(HydraException, match="an override cannot have the"):
        written(value)


@pytest.mark.parametrize("text", ["a", "a/b.yaml", "_x-1", "cos"])
def test_a_simple_word_is_written_without_quotes(text: str) -> None:
    assert override("key", text) == f"key={text}"


TYPED = [None, "1 if epoch < 5 else 0.1", "it's", "a, b=c", "null", " ", "", "1", '"', "\\"]


@pytest.mark.parametrize("typed", [False, True])
def test_a_trial_s_overrides_reproduce_its_config(sweep: Any, files: Any, typed: bool) -> None:
    space = "" if typed else f"search: {json.dumps({'text': TYPED})}"
    config = f"""
        defaults:
          - override hydra/sweeper: optuna
          - override hydra/sweeper/sampler: grid
          - _self_
        text: a
        {space}
    """
    files({"conf/config.yaml": config})
    seen = {}

    def task(cfg: Any) -> float:
        (line,) = HydraConfig.get().overrides.task
        seen[cfg.text] = PARSER.parse_override(line).value()
        return 1.0

    words = [f"text={','.join(map(written, TYPED))}"] if typed else []
    sweep(task, "hydra.sweeper.n_trials=20", *words)
    assert seen == dict(zip(TYPED, TYPED, strict=True))


def test_the_resume_command_is_parsed_back_in_any_folder() -> None:
    made_up: Any = SimpleNamespace(study_name=None, storage=None)
    plan: Any = SimpleNamespace(name="app-1", folder="/home/a b/it's, c=d")
    line = command(plan, made_up)
    name, folder = (PARSER.parse_override(word) for word in shlex.split(line)[-2:])
    assert (name.key_or_group, name.value()) == ("hydra.sweeper.study_name", "app-1")
    assert (folder.key_or_group, folder.value()) == ("hydra.sweep.dir", "/home/a b/it's, c=d")
