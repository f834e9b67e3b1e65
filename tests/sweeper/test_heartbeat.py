"""The heartbeat thread, on a real database."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from optuna_families import signals
from optuna_families.sweep.driver import Sweep
from optuna_families.workers import heartbeat
from optuna_families.workers.heartbeat import Heartbeat

STORAGE = "sqlite:///mlruns/optuna.db"


def wait(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def rename(table: str, to: str) -> None:
    engine = create_engine(STORAGE)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {to}")
    engine.dispose()


def test_the_heartbeat_outlives_any_error_and_says_it_once(
    folder: Path, sweep: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(heartbeat, "POLL", 0.02)
    prepared: list[Any] = []
    with monkeypatch.context() as patch:
        patch.setattr(Sweep, "_work", lambda _, *made: prepared.append(made[0]))
        patch.setattr(Sweep, "_finish", lambda *_: None)
        sweep(lambda _: 0.0, "hydra.sweeper.study_name=s")
    (plan,) = prepared
    asked: list[bool] = []
    monkeypatch.setattr(signals, "request", lambda: asked.append(True))
    with Heartbeat(plan) as thread:
        rename("study_user_attributes", "away")
        wait(lambda: "no heartbeat" in caplog.text)
        time.sleep(0.2)  # ten looks
        rename("away", "study_user_attributes")
        assert thread._thread.is_alive()
        heartbeat.stop(plan)
        wait(lambda: asked)
    assert caplog.text.count("no heartbeat") == 1
