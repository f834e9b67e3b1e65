"""Runs side by side in turn: for tasks that cannot be stacked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from lrlab.batch.base import Batch, Observed
from lrlab.history import Epoch
from lrlab.recipes import Recipe
from lrlab.tasks import Task
from lrlab.training import fresh_model, walk


class Member:
    """One model in training, with torch's random numbers as if it were alone."""

    def __init__(self, task: Task, recipe: Recipe, seed: int) -> None:
        self._random: list[Tensor] = []
        with self._own_random_numbers():
            self.model: nn.Module = fresh_model(task, seed)
            optimizer, schedule = recipe.build(task.parameter_groups(self.model))
        self._epochs = walk(task, self.model, optimizer, schedule, seed)
        self.advance()

    def advance(self) -> None:
        """Train for an epoch; the first time, only look."""
        with self._own_random_numbers():
            self.epoch: Epoch = next(self._epochs)

    @contextmanager
    def _own_random_numbers(self) -> Iterator[None]:
        others = _random_states()
        _resume(self._random)
        try:
            yield
        finally:
            self._random = _random_states()
            _resume(others)


class Apart(Batch):
    """See `lrlab.batch.train_batch`."""

    def __init__(
        self, task: Task, recipes: Sequence[Recipe], epochs: int, seeds: Sequence[int], *more: Any
    ) -> None:
        super().__init__(task, recipes, epochs, seeds, *more)
        self._members = [[Member(task, recipe, seed) for seed in seeds] for recipe in recipes]

    def state_dict(self, run: int) -> dict[str, Tensor]:
        """A run's parameters and buffers."""
        states = [member.model.state_dict() for member in self._members[run]]
        if len(states) == 1:
            return dict(states[0])
        return {name: torch.stack([state[name] for state in states]) for name in states[0]}

    def _advance(self) -> None:
        for run in self.open:
            for place, member in enumerate(self._members[run]):
                if place not in self.diverged.get(run, ()):
                    member.advance()

    def _observe(self) -> Observed:
        epochs = [[member.epoch for member in members] for members in self._members]
        return Observed(
            [_means([e.lrs for e in seeds]) for seeds in epochs],
            [[e.loss for e in seeds] for seeds in epochs],
            [list(_means([tuple(e.weights.values()) for e in seeds])) for seeds in epochs],
            list(epochs[0][0].weights),
        )


def _means(rows: list[tuple[float, ...]]) -> tuple[float, ...]:
    if len(rows) == 1:
        return rows[0]
    return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))


def _random_states() -> list[Tensor]:
    on_gpu = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if on_gpu else [])]


def _resume(states: list[Tensor]) -> None:
    if states:
        torch.set_rng_state(states[0])
    if states[1:]:
        torch.cuda.set_rng_state_all(states[1:])
