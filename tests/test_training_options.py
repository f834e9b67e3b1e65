"""Clipping, accumulation, precision, averages, early stopping: the same loop, to the last digit."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from omegaconf import DictConfig
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lrlab import LinearRegression, Objective, Recipe, Schedule, Task, train, train_batch
from lrlab.batch import can_stack
from lrlab.batch.sequential import SequentialBatch
from lrlab.training import TrainingOptions, fresh_model
from sweeps.config.errors import ConfigError
from sweeps.config.templates import template
from sweeps.runs.run_spec import RunSpec, prepare
from sweeps.runs.run_spec import train as train_specs

EPOCHS = 3


class Network(Task):
    """Dropout, batch norm and minibatches: everything that has a state."""

    batches_per_epoch = 4

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.x, self.y = (torch.randn(32, n, generator=generator) for n in (4, 1))

    def model(self) -> nn.Module:
        return nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 1)
        )

    def batches(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.split(torch.randperm(32, generator=generator), 8):
            yield self.x[rows], self.y[rows]

    def loss(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return nn.functional.mse_loss(model(batch[0]), batch[1])

    def evaluate(self, model: nn.Module) -> Tensor:
        return self.loss(model, (self.x, self.y))


def sgd(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)


def halving(optimizer: torch.optim.Optimizer) -> Schedule:
    return Schedule(torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9), step_every="batch")


RECIPE = Recipe(sgd, halving)


def final(options: TrainingOptions) -> dict[str, Tensor]:
    batch = train_batch(Network(), [RECIPE], EPOCHS, seeds=[5], options=options)
    for _ in batch:
        pass
    return batch.state_dict(0)


def by_hand(
    clip: float | None = None, accumulate: int = 1, after: Callable[[nn.Module], None] = id
) -> nn.Module:
    """The loop that a person would write."""
    task = Network()
    model = fresh_model(task, 5)
    optimizer, schedule = RECIPE.build(model.parameters())
    order = torch.Generator().manual_seed(5)
    for _ in range(EPOCHS):
        model.train()
        for number, batch in enumerate(task.batches(order), 1):
            (task.loss(model, batch) / accumulate).backward()  # type: ignore[no-untyped-call]
            if number % accumulate == 0 or number == task.batches_per_epoch:
                if clip is not None:
                    nn.utils.clip_grad_norm_(model.parameters(), clip)
                optimizer.step()
                optimizer.zero_grad()
                schedule.scheduler.step()
                after(model)
        model.eval()
    return model


def assert_same(found: dict[str, Tensor], expected: nn.Module) -> None:
    own = expected.state_dict()
    assert [name for name in own if not torch.equal(found[name], own[name])] == []


@pytest.mark.parametrize(("clip", "accumulate"), [(None, 1), (0.1, 1), (None, 3), (0.1, 2)])
def test_clipping_and_accumulation_are_those_of_a_loop_by_hand(
    clip: float | None, accumulate: int
) -> None:
    options = TrainingOptions(clip_norm=clip, accumulate=accumulate, measure=False)
    assert_same(final(options), by_hand(clip, accumulate))


def test_measuring_changes_nothing() -> None:
    assert_same(final(TrainingOptions(measure=True)), by_hand())


def test_ema_is_torch_s_average_after_each_step() -> None:
    task = Network()
    ema: Any = get_ema_multi_avg_fn
    average = AveragedModel(fresh_model(task, 5), multi_avg_fn=ema(0.9), use_buffers=True)
    by_hand(after=average.update_parameters)
    assert_same(final(TrainingOptions(average="ema", ema_decay=0.9)), average.module)


def test_swa_begins_after_its_start() -> None:
    late = final(TrainingOptions(average="swa", swa_start=EPOCHS))
    assert_same(late, by_hand())
    found = final(TrainingOptions(average="swa", swa_start=1))
    assert not torch.equal(found["0.weight"], late["0.weight"])


def test_a_lower_precision_changes_the_forward_pass_only() -> None:
    found = final(TrainingOptions(precision="bfloat16"))
    assert found["0.weight"].dtype == torch.float32
    assert not torch.equal(found["0.weight"], final(TrainingOptions())["0.weight"])


class Overflowing(Network):
    """Its second minibatch has gradients beyond float16."""

    def batches(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        for number, (x, y) in enumerate(super().batches(generator)):
            yield x, y * (1e30 if number == 1 else 1.0)


class Flat(Network):
    """Gradients so small that no step of float16 overflows."""

    def loss(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        return 1e-3 * super().loss(model, batch)


def test_in_float16_the_loss_is_scaled_and_its_gradients_are_not() -> None:
    """The norm that is clipped and logged is that of the gradients themselves."""
    half, single = (
        list(train_batch(Flat(), [RECIPE], 1, seeds=[5], options=TrainingOptions(precision=p)))
        for p in ("float16", "float32")
    )
    own, expected = (epochs[1][0].scores["grad_norm"][0] for epochs in (half, single))
    assert own == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("clip", [None, 1.0])
def test_in_float16_a_step_that_overflows_is_left_out(clip: float | None) -> None:
    options = TrainingOptions(precision="float16", clip_norm=clip)
    task = Overflowing()
    *_, last = train_batch(task, [RECIPE], 2, seeds=[5], options=options)
    assert last[0].loss < 10  # it goes on to train
    assert last[0].lrs == (pytest.approx(0.1 * 0.9**8),)  # and the schedule is at its end


class Falling(LinearRegression):
    """Its score is best after two epochs."""

    def evaluate(self, model: nn.Module) -> Any:
        self.calls = getattr(self, "calls", 0) + 1
        return {"loss": 1.0, "score": -abs(self.calls - 3.0)}


def test_a_training_stops_when_its_patience_ends() -> None:
    options = TrainingOptions(patience=4, objective=Objective("score", "maximize"))
    task = Falling(n=20, p=2)
    task.stacks = False
    model = task.model()
    found = train(task, model, *RECIPE.build(model.parameters()), 50, options=options)
    assert [epoch.number for epoch in found][-1] == 2 + 4
    task.calls = 0
    *_, last = train_batch(task, [RECIPE], 50, seeds=[1], options=options)
    assert last[0].number == 2 + 4


class Twice(LinearRegression):
    """A step of its own: two steps on each minibatch."""

    def training_step(self, model: nn.Module, batch: Any, step: Any) -> tuple[Tensor, bool]:
        super().training_step(model, batch, step)
        return super().training_step(model, batch, step)


def test_a_task_may_have_a_step_of_its_own() -> None:
    twice, once = Twice(n=20, p=2), LinearRegression(n=20, p=2)
    assert (can_stack(twice), can_stack(once)) == (False, True)
    flat = Recipe(sgd, lambda o: Schedule(torch.optim.lr_scheduler.ConstantLR(o, factor=1.0)))
    *_, after_one = train_batch(twice, [flat], 1, seeds=[1])
    *_, after_two = train_batch(once, [flat], 2, seeds=[1])
    assert after_one[0].loss == after_two[0].loss


def test_what_is_measured_is_the_same_in_a_tensor_program() -> None:
    task = LinearRegression(n=20, p=2, batch_size=5, seed=1)
    options = TrainingOptions(measure=True)
    stacked = list(train_batch(task, [RECIPE, RECIPE], 2, seeds=[1, 2], options=options))
    alone = list(train_batch(task, [RECIPE], 2, seeds=[1], options=options))
    for together, one in zip(stacked, alone, strict=True):
        assert together[0].step_lrs == one[0].step_lrs
        for name in ("train_loss", "grad_norm"):
            first, own = together[0].scores[name][0], one[0].scores[name][0]
            assert first == pytest.approx(own, rel=1e-5, nan_ok=True)
    assert len(alone[1][0].step_lrs) == 4
    assert alone[1][0].step_lrs[0] == (0.1,)
    assert alone[2][0].scores["seconds"][0] > 0


def copied(state: Any) -> Any:
    """Through a file, as a checkpoint goes."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def finished(batch: Any) -> dict[str, Tensor]:
    for _ in batch:
        pass
    found: dict[str, Tensor] = batch.state_dict(0)
    return found


def resumed(make: Callable[[], Any]) -> dict[str, Tensor]:
    """Stopped after two epochs, restored into a new one."""
    first, second = make(), make()
    for number, _ in enumerate(first):
        if number == 2:
            break
    torch.rand(7)  # what else a process draws
    second.restore(copied(first.checkpoint()))
    return finished(second)


@pytest.mark.parametrize(
    "about",
    [
        {},
        {"average": "ema"},
        {"average": "swa", "swa_start": 1},
        {"accumulate": 3},
        {"precision": "float16"},
    ],
)
def test_a_restored_training_ends_with_the_same_weights(about: Any) -> None:
    def make() -> Any:
        options = TrainingOptions(**about)
        return train_batch(Network(), [RECIPE], 5, seeds=[1, 2], options=options)

    whole, found = finished(make()), resumed(make)
    assert [name for name in whole if not torch.equal(found[name], whole[name])] == []


def test_a_restored_training_has_the_same_weights_under_any_schedule(
    scheduler: str, compose: Callable[..., DictConfig]
) -> None:
    words = [f"scheduler={scheduler}", "epochs=4", "training.checkpoint_every=1", "task.n=20"]
    spec: RunSpec = prepare(compose(*words, "optimizer=adam", "task.batch_size=10"))

    def make() -> Any:
        batch = train_specs([spec])
        assert isinstance(batch, SequentialBatch)
        return batch

    whole, found = finished(make()), resumed(make)
    assert [name for name in whole if not torch.equal(found[name], whole[name])] == []


REFUSED = {
    "training.clip_norm=0": r"training.clip_norm=0 is not allowed: it needs .* clip_norm > 0",
    "training.precision=half": r"training.precision=\"half\" is not allowed: it must be one of",
    "+training.clip=1": r"training.clip",
    "training=1": r"training must be a mapping",
}


@pytest.mark.parametrize("word", REFUSED)
def test_what_a_training_cannot_do_is_refused(
    word: str, compose: Callable[..., DictConfig]
) -> None:
    with pytest.raises(ConfigError, match=REFUSED[word]):
        prepare(compose(word))


def test_a_schedule_is_as_long_as_there_are_steps(compose: Callable[..., DictConfig]) -> None:
    words = ["scheduler=one_cycle", "scheduler.step_every=batch", "task.batch_size=100", "epochs=3"]
    by_epoch = prepare(compose("scheduler=one_cycle", "epochs=3", "training.accumulate=4"))
    assert by_epoch.settings.steps == 3
    spec = prepare(compose(*words, "training.accumulate=4"))
    assert spec.settings.steps == 3 * 3
    *_, last = spec.train()
    assert len(last.step_lrs) == 3


def test_a_task_whose_file_does_not_say_how_many_batches_it_has_is_asked(
    compose: Callable[..., DictConfig],
) -> None:
    words = ["scheduler=one_cycle", "scheduler.step_every=batch", "epochs=3", "~task.batches"]
    spec = prepare(compose(*words, "task.batch_size=250"))
    assert (spec.settings.steps, spec.config["task"]["batches"]) == (3 * 4, 4)
    swept = compose(*words, "task.batch_size=100")
    assert template(swept, {"task.batch_size": 100}) is None  # each trial has a number of its own
    assert template(swept, {"optimizer.lr": 0.1}) is not None
