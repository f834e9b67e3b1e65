"""What a batch costs does not grow with the study: counted in statements, not in seconds."""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from optuna_families.trials import ask_tell

pytestmark = pytest.mark.usefixtures("fast")

SIZE = 8


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, hydra_restore_singletons: Any) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    sys.modules.pop("sweeper_overhead", None)
    import sweeper_overhead

    monkeypatch.setattr(ask_tell, "LIVE", math.inf)  # no stores now and then
    return sweeper_overhead


@contextmanager
def statements(at: Any) -> Iterator[list[str]]:
    """Collect the SQL statements."""
    from sqlalchemy import event

    said: list[str] = []

    def hear(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement.split(" WHERE ")[0].split(" VALUES ")[0])

    event.listen(at.cache.database.engine, "before_cursor_execute", hear)
    yield said
    event.remove(at.cache.database.engine, "before_cursor_execute", hear)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_batch_costs_the_same_number_of_statements_in_a_large_study(
    bench: Any, tmp_path: Path, sampler: str
) -> None:
    lines = (f"hydra/sweeper/sampler={sampler}", "hydra/sweeper/pruner=median")
    at, _ = bench.client(tmp_path, *lines, size=SIZE)
    bench.run_batches(at, 2 * SIZE, SIZE)
    said = []
    for size in (100, 1000):
        bench.fill(at, size)
        bench.run_batches(at, SIZE, SIZE)  # reads what is new
        with statements(at) as heard:
            bench.run_batches(at, SIZE, SIZE)
        said.append(heard)
    assert said[0] == said[1]
    assert len(said[0]) < 3 * SIZE


def test_a_random_sampler_reads_no_finished_trials(bench: Any, tmp_path: Path) -> None:
    at, _ = bench.client(tmp_path, "hydra/sweeper/sampler=random", size=SIZE)
    bench.run_batches(at, SIZE, SIZE)
    bench.fill(at, 1000)
    bench.run_batches(at, SIZE, SIZE)
    (trial_cache,) = at.cache.trial_caches
    assert len(trial_cache.trials) == 1000 + 2 * SIZE
    assert (
        sum(trial_cache.unread(number) is not None for number in range(len(trial_cache.trials)))
        == 1000
    )
