"""The verdict on a sweep as plain data, stored in `verdict.json`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

from pydantic import ConfigDict, TypeAdapter

from lrlab.objective import Direction, Objective
from lrlab.ranking import Ranking, Standing

Value = bool | int | float | str | None


class Stored:
    """Dataclasses that are stored as JSON without loss of precision."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_inf_nan="strings")

    def to_json(self) -> str:
        """JSON; infinity is the text "Infinity", which the JSON standard has no number for."""
        return TypeAdapter(type(self)).dump_json(self, indent=1).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The object that `to_json` wrote.

        Raises:
            ValueError: invalid JSON, or JSON of another type.
        """
        return TypeAdapter(cls).validate_json(text)


@dataclass(frozen=True)
class SelectedTrial(Stored):
    """The trial that represents its family.

    Args:
        trial: its number in the sweep.
        params: sampled parameters by full key, such as `optimizer.lr`.
        excess: mean loss on the fresh seeds above the lowest possible loss.
        lr_factor: by which the learning rate of that trial was multiplied after the tuning.
        edges: tuned values at an end of their range, in words.
    """

    trial: int
    params: Mapping[str, Value] = field(default_factory=dict)
    excess: float | None = None
    lr_factor: float = 1.0
    edges: tuple[str, ...] = ()


@dataclass(frozen=True)
class Robustness(Stored):
    """What becomes of a selected trial with another learning rate or number of epochs.

    Values are the geometric mean of the excess loss where it is known, else the mean objective;
    None where the training is not possible.

    Args:
        lr: (multiple of the learning rate, value).
        lr_diverged: number of seeds that diverged, for each entry of `lr`.
        epochs: (multiple of the number of epochs, value) with the same curve, stretched.
        edge_diverged: number of seeds that diverged with 1.1 times the learning rate.
    """

    lr: tuple[tuple[float, float | None], ...] = ()
    lr_diverged: tuple[int, ...] = ()
    epochs: tuple[tuple[float, float | None], ...] = ()
    edge_diverged: int = 0


@dataclass(frozen=True)
class Recommended(Stored):
    """The recommendation.

    Args:
        family: name of the family.
        command: command that trains it again.
        snippet: torch program.
        folder: folder of the run.
        lr_factor: by which the learning rate of that run was multiplied after the tuning.
        lowered: how much of that was because it diverged on a fresh draw of the data; 1 if not.
    """

    family: str
    command: str = ""
    snippet: str = ""
    folder: str | None = None
    lr_factor: float = 1.0
    lowered: float = 1.0


@dataclass(frozen=True)
class Excluded(Stored):
    """A finalist that could not be evaluated.

    Args:
        family: its family.
        trial: its number in the sweep.
        reason: the error of its training.
    """

    family: str
    trial: int
    reason: str

    @property
    def line(self) -> str:
        """Message for the terminal.

        >>> Excluded("step", 7, "RuntimeError: no data").line
        'step: trial 7 could not be evaluated: RuntimeError: no data'
        """
        return f"{self.family}: trial {self.trial} could not be evaluated: {self.reason}"


@dataclass(frozen=True)
class Verdict(Stored):
    """Result of the evaluation on fresh seeds; the file `verdict.json`.

    Args:
        ranking: of the families that have finalists.
        picks: the selected trial of each of them, by family name.
        robustness: (factor, mean loss) of the best selected trial with its learning rate
            multiplied by each factor.
        optimum: lowest excess loss that is possible in theory, where it is known.
        recommended: None if every selected trial diverged.
        excluded: finalists that could not be evaluated.
        robustness_diverged: number of fresh seeds that diverged, for each entry of `robustness`.
        objective: what is judged by; the ranking's "losses" are its values.
        tested: whether its values are of the task's test set.
        direction: whether less or more of it is better.
        around: robustness of each family's selected trial, by family name.
        common: number of seeds of that.
        best_lrs: epoch and learning rate of each step of the best possible schedule, where it is
            known.
        basis: hash of everything that the verdict depends on; empty in files of older versions.
    """

    ranking: Ranking
    picks: Mapping[str, SelectedTrial]
    robustness: tuple[tuple[float, float], ...] = ()
    optimum: float | None = None
    recommended: Recommended | None = None
    excluded: tuple[Excluded, ...] = ()
    robustness_diverged: tuple[int, ...] = ()
    basis: str = ""
    objective: str = "loss"
    direction: Direction = "minimize"
    tested: bool = False
    around: Mapping[str, Robustness] = field(default_factory=dict)
    common: int = 0
    best_lrs: tuple[tuple[float, float], ...] = ()

    @property
    def goal(self) -> Objective:
        """What is judged by."""
        return Objective(self.objective, self.direction)

    def standing(self, family: str) -> Standing | None:
        """The standing of a family, if it was ranked."""
        return next((s for s in self.ranking.standings if s.family == family), None)
