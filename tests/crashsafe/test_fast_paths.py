"""The switch of what exists for speed only."""

import logging

import pytest

from crashsafe.fast_paths import FAST_PATHS, VARIABLE, is_fast, note_closed


@pytest.mark.parametrize(
    ("value", "off"),
    [
        ("", []),
        ("0", []),
        ("tpe", ["tpe"]),
        ("study_sql,mlflow_sql", ["study_sql", "mlflow_sql"]),
        ("1", list(FAST_PATHS)),
        ("tpe,unknown", list(FAST_PATHS)),
    ],
)
def test_the_variable_names_what_is_off(
    monkeypatch: pytest.MonkeyPatch, value: str, off: list[str]
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert [path for path in FAST_PATHS if not is_fast(path)] == off


def test_a_path_that_a_version_closes_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    note_closed.cache_clear()
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            note_closed("tpe", "it was not tested with Optuna 9")
    assert caplog.messages == ["the fast path tpe is closed: it was not tested with Optuna 9"]
