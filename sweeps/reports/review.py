"""All that there is to say of a sweep, as plain data."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal, Self

from pydantic import ConfigDict, TypeAdapter

from lrlab.ranking import Ranking, Standing

State = Literal["complete", "pruned", "failed", "interrupted", "running"]
Value = bool | int | float | str | None


class Stored:
    """Something that can be written as JSON and read again, to the last digit."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(ser_json_inf_nan="strings")

    def to_json(self) -> str:
        """JSON; infinity is the text "Infinity"."""
        return TypeAdapter(type(self)).dump_json(self, indent=1).decode()

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` was called on.

        Raises:
            ValueError: it is no JSON, or of something else.
        """
        return TypeAdapter(cls).validate_json(text)


@dataclass(frozen=True)
class TrialRow(Stored):
    """One trial.

    Args:
        number: in the sweep.
        state: how it ended.
        value: its loss in the tuning.
        params: what was sampled, by full key such as `optimizer.lr`.
        seconds: that it took.
        reason: why it failed.
        overrides: as one would type them.
        folder: of its run.
        excess: loss above the best reachable, at its end.
        peak_lr: the highest learning rate that it saw.
    """

    number: int
    state: State
    value: float | None = None
    params: Mapping[str, Value] = field(default_factory=dict)
    seconds: float | None = None
    reason: str | None = None
    overrides: tuple[str, ...] = ()
    folder: str | None = None
    excess: float | None = None
    peak_lr: float | None = None


@dataclass(frozen=True)
class FamilyReview(Stored):
    """One family.

    Args:
        name: such as `cosine`.
        trials: in the order in which they were begun.
        history: of its pick, an epoch a row: epoch, lr, loss, excess_loss, ...
        importances: share of each parameter in how good a trial is; empty where it is not known.
        arguments: that its schedule takes.
        warning: what is odd about its pick's learning rate, if anything.
    """

    name: str
    trials: tuple[TrialRow, ...] = ()
    history: tuple[Mapping[str, float], ...] = ()
    importances: Mapping[str, float] = field(default_factory=dict)
    arguments: int = 0
    warning: str = ""

    @cached_property
    def best(self) -> TrialRow | None:
        """The trial that was best in the tuning."""
        complete = [t for t in self.trials if t.state == "complete" and t.value is not None]
        return min(complete, key=lambda trial: trial.value or 0.0, default=None)

    @property
    def swept(self) -> int:
        """How many parameters were tuned."""
        return max((len(trial.params) for trial in self.trials), default=0)

    @property
    def counts(self) -> Counter[State]:
        """Trials by state."""
        return Counter(trial.state for trial in self.trials)

    @property
    def seconds(self) -> float:
        """What the tuning took, its trials added up."""
        return sum(trial.seconds or 0.0 for trial in self.trials)

    @property
    def reason(self) -> str:
        """Why there is no result, where there is none.

        >>> FamilyReview("step", (TrialRow(0, "failed", reason="diverged"),)).reason
        'all 1 trials failed; the last: diverged'
        """
        if self.best is not None:
            return ""
        if not self.trials:
            return "no trials"
        states, last = set(self.counts), self.trials[-1].reason
        if states == {"failed"}:
            why = f"; the last: {last}" if last else ""
            return f"all {len(self.trials)} trials failed{why}"
        if states == {"pruned"}:
            return f"all {len(self.trials)} trials were pruned"
        return "no trial complete: " + ", ".join(f"{n} {state}" for state, n in self.counts.items())


@dataclass(frozen=True)
class Pick(Stored):
    """The trial that stands for its family.

    Args:
        trial: its number in the sweep.
        params: what was sampled for it, by full key.
        excess: mean loss above the best reachable, on the fresh seeds.
    """

    trial: int
    params: Mapping[str, Value] = field(default_factory=dict)
    excess: float | None = None


@dataclass(frozen=True)
class Recommended(Stored):
    """What to use.

    Args:
        family: its name.
        command: that trains it again.
        snippet: of torch code.
        folder: of the run that it comes from.
    """

    family: str
    command: str = ""
    snippet: str = ""
    folder: str | None = None


@dataclass(frozen=True)
class Excluded(Stored):
    """A finalist that could not be judged.

    Args:
        family: that it is of.
        trial: its number in the sweep.
        reason: what its training raised.
    """

    family: str
    trial: int
    reason: str

    @property
    def line(self) -> str:
        """For a person.

        >>> Excluded("step", 7, "RuntimeError: no data").line
        'step: its trial 7 was not judged: RuntimeError: no data'
        """
        return f"{self.family}: its trial {self.trial} was not judged: {self.reason}"


@dataclass(frozen=True)
class Verdict(Stored):
    """What the finalists' trainings showed; the one thing that cannot be read off the trials.

    Args:
        ranking: of the families that have finalists.
        picks: of each of them, by name.
        robustness: the best pick's mean loss with its learning rate so many times off.
        optimum: excess loss that theory says can be reached, where it does.
        recommended: None where nothing can be.
        excluded: finalists that could not be judged.
        robustness_diverged: on how many fresh seeds it diverged, for each entry of `robustness`.
        basis: changes with anything that the verdict depends on; empty in those of older versions.
    """

    ranking: Ranking
    picks: Mapping[str, Pick]
    robustness: tuple[tuple[float, float], ...] = ()
    optimum: float | None = None
    recommended: Recommended | None = None
    excluded: tuple[Excluded, ...] = ()
    robustness_diverged: tuple[int, ...] = ()
    basis: str = ""

    def standing(self, family: str) -> Standing | None:
        """A family's place, if it has one."""
        return next((s for s in self.ranking.standings if s.family == family), None)


@dataclass(frozen=True)
class Review(Stored):
    """A sweep.

    Args:
        sweep: its name.
        task: such as `linear_regression`.
        epochs: of each training.
        seeds: of each trial.
        n_trials: that each family was promised.
        families: of the sweep, in any order.
        verdict: None while there is none: the sweep is unfinished.
        command: that goes on with the sweep.
    """

    sweep: str
    task: str
    epochs: int
    seeds: int
    n_trials: int
    families: tuple[FamilyReview, ...]
    verdict: Verdict | None = None
    command: str = ""

    @cached_property
    def ordered(self) -> tuple[FamilyReview, ...]:
        """The families, best first: judged ones, then by their tuning, then those without any."""
        places = [s.family for s in self.verdict.ranking.standings] if self.verdict else []
        infinity = float("inf")

        def place(family: FamilyReview) -> tuple[int, float, str]:
            tuned = infinity if family.best is None else family.best.value or 0.0
            judged = places.index(family.name) if family.name in places else len(places)
            return judged, tuned, family.name

        return tuple(sorted(self.families, key=place))

    @property
    def went_on(self) -> bool:
        """Whether the sweep has gained trials or families since its verdict."""
        if self.verdict is None:
            return False
        judged = {standing.family for standing in self.verdict.ranking.standings}
        excluded = {finalist.family for finalist in self.verdict.excluded}
        complete = {family.name for family in self.families if family.best}
        complete -= excluded - judged
        return judged != complete or self.verdict.ranking.n_trials != self.n_trials

    def params(self, family: FamilyReview) -> Mapping[str, Value]:
        """The parameters that stand for a family: its pick's, or its best trial's."""
        if self.verdict and family.name in self.verdict.picks:
            return self.verdict.picks[family.name].params
        return family.best.params if family.best else {}

    @property
    def simplest(self) -> FamilyReview | None:
        """Of those that cannot be told from the best: fewest tuned parameters, then arguments."""
        tied = self.verdict.ranking.tied if self.verdict else ()
        among = [family for family in self.ordered if family.name in tied]
        return min(among, key=lambda family: (family.swept, family.arguments), default=None)
