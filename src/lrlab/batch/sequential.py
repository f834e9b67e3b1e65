"""Trains the runs of a batch one after another: for tasks that cannot be stacked."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from lrlab.batch.base import BatchState, TrainingBatch
from lrlab.recipes import Recipe
from lrlab.tasks import Draw, Task
from lrlab.training import ModelTraining, TrainingOptions, fresh_model


class Member:
    """One model in training, with a torch random state of its own."""

    def __init__(self, task: Task, recipe: Recipe, seed: Draw, options: TrainingOptions) -> None:
        self._random: list[Tensor] = []
        with self._own_random_state():
            model = fresh_model(task, seed.weights)
            optimizer, schedule = recipe.build(task.parameter_groups(model))
            self.training = ModelTraining(task, model, optimizer, schedule, seed.order, options)
            self.epoch = self.training.observe()

    def advance(self) -> None:
        """Train one epoch, unless its patience has ended."""
        if not self.training.stopped:
            with self._own_random_state():
                self.epoch = self.training.advance()

    def state_dict(self) -> dict[str, Any]:
        """All that its next epochs depend on."""
        return {"training": self.training.state_dict(), "random": self._random}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` gave."""
        self.training.load_state_dict(state["training"])
        self._random = state["random"]
        with self._own_random_state():
            self.epoch = self.training.observe()

    @contextmanager
    def _own_random_state(self) -> Iterator[None]:
        outer = _random_states()
        _restore(self._random)
        try:
            yield
        finally:
            self._random = _random_states()
            _restore(outer)


class SequentialBatch(TrainingBatch):
    """See `lrlab.batch.train_batch`."""

    def __init__(
        self, task: Task, recipes: Sequence[Recipe], epochs: int, seeds: Sequence[Draw], *more: Any
    ) -> None:
        super().__init__(task, recipes, epochs, seeds, *more)
        pairs = list(zip(self.tasks, seeds, strict=True))
        self._members = [
            [Member(own, recipe, seed, self._options) for own, seed in pairs] for recipe in recipes
        ]

    def state_dict(self, run: int) -> dict[str, Tensor]:
        """The parameters and buffers of a run."""
        states = [member.training.model.state_dict() for member in self._members[run]]
        if len(states) == 1:
            return dict(states[0])
        return {name: torch.stack([state[name] for state in states]) for name in states[0]}

    def checkpoint(self) -> dict[str, Any]:
        """The state of its only run, between two epochs."""
        (members,) = self._members
        states = [member.state_dict() for member in members]
        lost = sorted(self.diverged.get(0, ()))
        return {"done": self._done, "limits": self._limits, "lost": lost, "members": states}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `checkpoint`, to the same numbers as without a stop."""
        (members,) = self._members
        self._done, self._limits = state["done"], state["limits"]
        self.diverged = {0: set(state["lost"])} if state["lost"] else {}
        for member, own in zip(members, state["members"], strict=True):
            member.load_state_dict(own)

    def _advance(self) -> None:
        for run in self.active:
            for seed, member in enumerate(self._members[run]):
                if seed not in self.diverged.get(run, ()):
                    member.advance()
            if all(member.training.stopped for member in self._members[run]):
                self.stopped.add(run)

    def _observe(self) -> BatchState:
        epochs = [[member.epoch for member in members] for members in self._members]
        return BatchState(
            [_means([e.lrs for e in seeds]) for seeds in epochs],
            {"loss": [[e.loss for e in seeds] for seeds in epochs]}
            | {
                name: [[e.scores[name][0] for e in seeds] for seeds in epochs]
                for name in epochs[0][0].scores
            },
            [list(_means([tuple(e.weights.values()) for e in seeds])) for seeds in epochs],
            list(epochs[0][0].weights),
            {run: seeds[0].step_lrs for run, seeds in enumerate(epochs) if seeds[0].step_lrs},
        )


def _means(rows: list[tuple[float, ...]]) -> tuple[float, ...]:
    if len(rows) == 1:
        return rows[0]
    return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))


def _random_states() -> list[Tensor]:
    on_gpu = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if on_gpu else [])]


def _restore(states: list[Tensor]) -> None:
    if states:
        torch.set_rng_state(states[0])
    if states[1:]:
        torch.cuda.set_rng_state_all(states[1:])
