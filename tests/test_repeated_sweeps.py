"""The repeated sweeps of the benchmarks train what the sweeps train."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.measuring.pairs import Draws
from sweeps.runs.run_spec import prepare

REGRESSION = ("task.n=40", "task.p=3", "task.condition=8", "task.seed=null", "epochs=6")


@pytest.mark.parametrize("batch_size", [40, 15], ids=["full", "minibatches"])
def test_pairs_of_draws_and_rates_train_as_a_sweep_does(
    batch_size: int, compose: Any, tmp_path: Path
) -> None:
    lines = (*REGRESSION, f"task.batch_size={batch_size}", "seeds=3", "seed=5", "scheduler=cosine")
    specs = [prepare(compose(*lines, f"optimizer.lr={lr}")) for lr in (0.05, 0.2)]
    task = specs[0].task
    expected, curves = [], []
    for spec in specs:
        *_, last = spec.train()
        bests = [task.redrawn(draw.data).best_loss for draw in spec.draws]
        expected += list(np.subtract(last.losses, bests))
        curves += [[lr for (lr,) in spec.recipe.trace(6).lrs[:-1]]] * 3
    found = Draws(task, specs[0].seeds).excess(np.array(curves), [0, 1, 2] * 2)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-7)
