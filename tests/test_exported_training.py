"""An exported program trains exactly what was trained, to the last digit."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from omegaconf import DictConfig

from lrlab import LinearRegression
from lrlab.training import fresh_model
from sweeps.codegen import snippet
from sweeps.runs.run_spec import prepare, train

OPTIONS = [
    "",
    "training.clip_norm=0.5",
    "training.accumulate=2",
    "training.precision=bfloat16",
    "training.precision=float16",
    "training.average=ema training.ema_decay=0.8",
    "training.average=swa training.swa_start=2",
    "training.clip_norm=0.5 training.accumulate=2 training.precision=bfloat16 training.average=ema",
    "training.clip_norm=0.5 training.precision=float16 training.average=ema",
]


class Batches:
    """The run's minibatches, in its order."""

    def __init__(self, task: LinearRegression, seed: int) -> None:
        self.task, self.order = task, torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return self.task.batches_per_epoch

    def __iter__(self) -> Iterator[Any]:
        return iter(self.task.batches(self.order))


@pytest.mark.filterwarnings("ignore:Detected call of")  # by float16, whose first steps overflow
@pytest.mark.parametrize("schedule", ["one_cycle scheduler.step_every=batch", "cosine"])
@pytest.mark.parametrize("options", OPTIONS)
def test_a_program_ends_with_the_run_s_weights_and_learning_rates(
    options: str, schedule: str, compose: Callable[..., DictConfig]
) -> None:
    words = f"scheduler={schedule} epochs=4 task.n=60 task.batch_size=20 optimizer=momentum"
    spec = prepare(compose(*words.split(), *options.split()))
    batch = train([spec])
    lrs = [epochs[0].lrs[0] for epochs in batch]
    task = spec.task.redrawn(spec.draws[0].data)
    assert isinstance(task, LinearRegression)
    text = snippet(spec.config)
    text = re.sub(r"(?m)^model = .*$", "model = own_model", text)
    text = re.sub(r"(?m)^batches = .*$", "batches = own_batches", text)
    seen: list[float] = []
    seed = spec.draws[0]
    names: dict[str, Any] = {
        "own_model": fresh_model(task, seed.weights),
        "own_batches": Batches(task, seed.order),
        "print": lambda _, lr: seen.append(lr),
    }
    exec(compile(text, "program", "exec"), names)  # noqa: S102
    assert seen == lrs[:-1]
    model = names["average"].module if "average" in names else names["model"]
    found, expected = model.state_dict(), batch.state_dict(0)
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


def test_what_a_program_cannot_do_is_said(compose: Callable[..., DictConfig]) -> None:
    spec = prepare(compose("epochs=4", "training.patience=3"))
    assert "CAUTION: the run was to stop after 3 epochs" in snippet(spec.config)
