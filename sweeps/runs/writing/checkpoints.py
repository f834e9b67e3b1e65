"""Checkpoints: the same command, or the retry of a trial, goes on where a training was stopped."""

import os
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from crashsafe.locks import file_lock
from lrlab.batch.sequential import SequentialBatch
from sweeps import console
from sweeps.runs.run_spec import RunSpec

HOME = Path("mlruns/checkpoints")
# Processes of a DataLoader inherit the lock, and outlive a killed training by five seconds.
PATIENCE = 10.0
UNREADABLE = (OSError, RuntimeError, ValueError, LookupError, EOFError, UnpicklingError)


class Checkpoint:
    """The last state of a training, found by all that decides what is trained.

    Args:
        spec: of the run.
        home: of the files.

    Attributes:
        history: the lines of the history file up to the state.
    """

    def __init__(self, spec: RunSpec, home: Path) -> None:
        self._every = spec.settings.training.checkpoint_every
        self._path = home / f"{spec.digest}.pt"
        self._held = ExitStack()
        self._state: dict[str, Any] | None = None
        self.history = ""

    def open(self) -> None:
        """Read the state of a training that was stopped; none if another process is at it."""
        if self._every is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._held.enter_context(file_lock(self._path.with_suffix(".lock"), PATIENCE))
        except TimeoutError:
            self._every = None
            console.warn("another process trains the same: this training keeps no checkpoint")
            return
        self._read()

    def _read(self) -> None:
        if not self._path.exists():
            return
        try:
            found = torch.load(self._path, weights_only=True)
            self._state, self.history = found["batch"], found["history"]
        except UNREADABLE as error:
            console.warn(f"{self._path} cannot be read, so the training begins anew: {error!r:.99}")
            return
        console.warn(f"going on after epoch {self._state['done']}, from {self._path}")

    def restore(self, batch: object) -> None:
        """Put the state into a batch of this run alone."""
        if self._state is not None and isinstance(batch, SequentialBatch):
            batch.restore(self._state)

    def is_due(self, number: int) -> bool:
        """Whether the state after this epoch is to be kept."""
        done = self._state["done"] if self._state else 0
        return self._every is not None and number > done and number % self._every == 0

    def write(self, batch: object, history: str) -> None:
        """Replace the state; a process killed at any moment leaves the old one or the new one."""
        if not isinstance(batch, SequentialBatch):
            return
        file = BytesIO()
        torch.save({"batch": batch.checkpoint(), "history": history}, file)
        unfinished = self._path.with_suffix(".unfinished")
        with unfinished.open("wb") as out:
            out.write(file.getvalue())
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(self._path)

    def close(self, *, ended: bool) -> None:
        """Let others train the same; the state is needed no more once the training has ended."""
        if ended and self._every is not None:
            self._path.unlink(missing_ok=True)
        self._held.close()
