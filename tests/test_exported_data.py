"""What a run's files say ends up in an exported program as data, never as code."""

import ast
import io
import json
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlab.expressions import evaluate
from lrlab.tracking import RunFolder, RunInfo
from sweeps.codegen.arithmetic import as_lambda
from sweeps.codegen.literals import literal
from sweeps.codegen.preambles import Preamble
from sweeps.config.errors import ConfigError
from sweeps.stored.run_program import program
from sweeps.trust.file_bounds import FileBoundError
from sweeps.trust.trusted_names import read_trusted

# Texts that would act if they were pasted into a program, each in a way of its own.
TEXTS = [
    "a\nPWNED = 1",
    "a\r\nPWNED = 1",
    "a\rPWNED = 1",
    "a\x0c\nPWNED = 1",
    "a\u2028PWNED = 1\u2029PWNED = 1\x85PWNED = 1\x0bPWNED = 1",
    '"\nPWNED = 1\n"',
    "'\nPWNED = 1\n'",
    '"""\nPWNED = 1\n"""',
    '\\"\nPWNED = 1',
    "\\\nPWNED = 1",
    '"); globals().update(PWNED=1); ("',
    "'); globals().update(PWNED=1); ('",
    "{PWNED} %s {0.__class__}",
    "\0\nPWNED = 1",
    "\ud800\nPWNED = 1",
    "\u202ePWNED = 1",
]
# Code that is no arithmetic, or arithmetic that would take hours.
EXPRESSIONS = [
    "().__class__",
    "epoch.__class__.__mro__[-1].__subclasses__()",
    "epoch.real",
    "'a'.upper()",
    "__import__('os').system('true')",
    "print(1)",
    "open('PWNED', 'w')",
    "f'{epoch}'",
    "f'{().__class__}'",
    "(lambda: 1)()",
    "lambda: 1",
    "(epoch := 1)",
    "[epoch for epoch in ()]",
    "[1]",
    "{1: 2}",
    "max(*(1, 2))",
    "max(1, **{})",
    "epoch(1)",
    "max(1)(2)",
    "await epoch",
    "(yield)",
    "...",
    "1j",
    "b''",
    "1 @ 1",
    "unknown",
    "1; PWNED = 1",
    "1\nPWNED = 1",
    "9 ** 9 ** 9",
    "(9 ** 9) ** (9 ** 9)",
    "1" * 5000,
    "-" * 5000 + "1",
    "(" * 300 + "1" + ")" * 300,
    "\0",
    "",
]
CONFIG: dict[str, Any] = {
    "epochs": 3,
    "seed": 1,
    "task": {"_target_": "lrlab.tasks.LinearRegression", "batches": 1},
    "optimizer": {"_target_": "torch.optim.SGD", "lr": 0.25},
    "scheduler": {"_target_": "lrlab.curves.expression", "expression": "0.9 ** epoch"},
}


def config(**changes: Any) -> dict[str, Any]:
    """The config with values put in by their path."""
    found: dict[str, Any] = json.loads(json.dumps(CONFIG))
    for path, value in changes.items():
        group, _, key = path.partition(".")
        if key:
            found[group][key] = value
        else:
            found[group] = value
    return found


def stored(folder: Path, content: object = CONFIG, info: RunInfo | None = None) -> RunFolder:
    """A run as it may come from somebody else's tracking server."""
    run = RunFolder(folder).begin(info or RunInfo("lambda"))
    run.artifacts.mkdir(exist_ok=True)
    (run.artifacts / "config.yaml").write_text(json.dumps(content))
    return run


def acts(text: str) -> bool:
    """Whether a program does more than it should."""
    names: dict[str, Any] = {}
    with redirect_stdout(io.StringIO()):
        exec(compile(text, "exported", "exec"), names)  # noqa: S102
    return "PWNED" in names or Path("PWNED").exists()


def shape(text: str) -> str:
    """A program's syntax but for its texts."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


@pytest.mark.parametrize("text", TEXTS)
def test_names_commands_and_warnings_stay_comments(tmp_path: Path, text: str) -> None:
    tags = {"command": f"python -m sweeps task.a={text}", "warning": text}
    made = program(stored(tmp_path / "run", info=RunInfo(text, tags=tags)), why=text)
    assert shape(made) == shape(program(stored(tmp_path / "other")))
    assert not acts(made)


def test_an_override_with_a_line_break_stays_a_comment(tmp_path: Path) -> None:
    run = stored(tmp_path)
    (tmp_path / ".hydra").mkdir()
    hydra = {"overrides": {"task": ["task.a='\nPWNED = 1'"]}, "runtime": {"config_sources": []}}
    (tmp_path / ".hydra" / "hydra.yaml").write_text(yaml.safe_dump({"hydra": hydra}))
    made = program(run)
    assert "\n# python -m sweeps \"task.a='\n# PWNED = 1'\"\n" in made
    assert not acts(made)


def test_an_override_is_not_worked_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "swordfish")
    run = stored(tmp_path)
    (tmp_path / ".hydra").mkdir()
    words = ["task.a=${oc.env:SECRET}", "scheduler.T_max=${epochs}"]
    hydra = {"overrides": {"task": words}, "runtime": {"config_sources": []}}
    (tmp_path / ".hydra" / "hydra.yaml").write_text(yaml.safe_dump({"hydra": hydra}))
    made = program(run)
    assert "swordfish" not in made
    assert "'task.a=${oc.env:SECRET}' 'scheduler.T_max=${epochs}'" in made


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("place", ["momentum", "nesterov", "lr", "scheduler", "epochs", "batches"])
def test_a_text_where_a_number_belongs_is_refused(tmp_path: Path, place: str, text: str) -> None:
    path = {"epochs": "epochs", "batches": "task.batches", "scheduler": "scheduler.step_every"}
    changed = config(**{path.get(place, f"optimizer.{place}"): text})
    with pytest.raises(ConfigError, match="is not allowed"):
        program(stored(tmp_path, changed))


@pytest.mark.parametrize("text", TEXTS)
def test_a_key_that_is_code_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="unknown key"):
        program(stored(tmp_path, config(**{f"optimizer.{text}": 1})))


OWN = """
from torch.optim.lr_scheduler import ExponentialLR


class Noted(ExponentialLR):
    def __init__(self, optimizer, **notes):
        super().__init__(optimizer, 0.5)
        self.notes = notes
"""


@pytest.mark.parametrize("text", [text for text in TEXTS if "\ud800" not in text])
def test_a_text_is_a_literal_and_a_free_key_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "notes_of_mine.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SWEEPS_PACKAGES", "notes_of_mine")
    read_trusted()
    own = {"_target_": "notes_of_mine.Noted", "note": text, "more": [text, {text: text}]}
    made = program(stored(tmp_path / "a", config(scheduler=own)))
    names: dict[str, Any] = {}
    with redirect_stdout(io.StringIO()):
        exec(made, names)  # noqa: S102
    assert names["scheduler"].notes == {"note": text, "more": [text, {text: text}]}
    assert "PWNED" not in names
    with pytest.raises(ConfigError, match="is no name of an argument"):
        program(stored(tmp_path / "b", config(scheduler={**own, text: 1})))


@pytest.mark.parametrize("attack", EXPRESSIONS)
def test_what_is_no_arithmetic_is_refused_in_a_branch_never_taken_too(
    tmp_path: Path, attack: str
) -> None:
    untaken = f"0.5 if epoch >= 0 else {attack}"
    for text in (attack, untaken, f"(1 and 1) or ({attack})"):
        with pytest.raises(ValueError, match="cannot be computed"):
            evaluate(text, epoch=1)
        with pytest.raises(ValueError, match="cannot be computed"):
            as_lambda(text, Preamble())
    refused = (ConfigError, FileBoundError)  # the second where the text is very long
    with pytest.raises(refused, match=r"scheduler: .*cannot be computed|4000 characters at most"):
        program(stored(tmp_path, config(**{"scheduler.expression": untaken})))


@pytest.mark.parametrize("text", ["'%0999999999d' % 1", "'a' * 10 ** 9", "3999999 ** 3999999"])
def test_what_would_fill_the_memory_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be computed"):
        evaluate(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5 if epoch < 5 else 0.1", 0.5),
        ("1 / 2 ** epoch", 0.125),
        ("milestones[-1] > 3 and len(milestones) == 2", True),
        ("mode == 'cos' or epoch is None", True),
        ("(1\n + 2) # three", 3),
        ("round(min(1.26, epoch), ndigits=1)", 1.3),
        ("-epoch % 7 // 2", 2),
    ],
)
def test_arithmetic_is_computed(text: str, value: object) -> None:
    assert evaluate(text, epoch=3, milestones=[3, 8], mode="cos") == value


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(LEAVES, inner) | st.tuples(inner)
)


@settings(deadline=None)
@given(VALUES)
def test_a_literal_is_the_value_again(value: object) -> None:
    text = literal(value)
    assert len(text.splitlines()) <= 1
    with warnings.catch_warnings(action="error"):
        assert eval(text, {"float": float}) == value  # noqa: S307 (what it is made for)


@pytest.mark.parametrize("value", [b"", {1, 2}, object(), 1j])
def test_what_has_no_literal_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="cannot be written into a program"):
        literal(value)
