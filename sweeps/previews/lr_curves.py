"""The learning-rate curve of every combination of overrides."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

from sweeps.config.errors import ConfigError
from sweeps.config.resolvers import conf_dir, own_files, register_resolvers
from sweeps.previews.search_space import points
from sweeps.runs.startup import postpone_compiler

if TYPE_CHECKING:
    from sweeps.runs.run_spec import RunSpec

LONGEST = 50_000  # steps that are drawn
Kind = Literal["constant", "decay", "warm-up", "cyclic", "adaptive"]
KINDS: tuple[Kind, ...] = ("constant", "decay", "warm-up", "cyclic", "adaptive")


@dataclass(frozen=True)
class PreviewCurve:
    """A curve: the learning rate before each step and after the last that is drawn.

    Args:
        lrs: of one that watches the loss: while the loss never improves.
        steps: of the run, which may go on.
        warnings: about the curve.
        watches: it depends on the loss.
        space: curves of other points of its search space.

    >>> PreviewCurve([0.5, 0.25], 1).words
    'lr 0.5 at first, 0.5 at most, 0.25 at the end'
    >>> PreviewCurve([0.5, 0.25], 9).words
    'lr 0.5 at first, 0.5 at most, 0.25 at step 1 of 9'
    """

    lrs: list[float]
    steps: int
    warnings: tuple[str, ...] = ()
    watches: bool = False
    space: tuple[Sequence[float], ...] = ()

    @property
    def words(self) -> str:
        """The curve in a line."""
        plotted = len(self.lrs) - 1
        last = f"at step {plotted} of {self.steps}" if plotted < self.steps else "at the end"
        if self.watches:
            last += " of a loss that never improves"
        highest = f"{max(self.lrs):.4g} at most"
        return f"lr {self.lrs[0]:.4g} at first, {highest}, {self.lrs[-1]:.4g} {last}"

    @property
    def kind(self) -> Kind:
        """What kind of curve it is, by its shape.

        >>> [PreviewCurve(lrs, 3).kind for lrs in ([1, 1], [2, 1], [1, 2, 1], [1, 2, 1, 2])]
        ['constant', 'decay', 'warm-up', 'cyclic']
        """
        if self.watches:
            return "adaptive"
        tiny = 1e-9 * max(self.lrs, default=0.0)
        moves = [b - a for a, b in pairwise(self.lrs) if abs(b - a) > tiny]
        if not moves:
            return "constant"
        rises = sum(b > 0 and a <= 0 for a, b in pairwise([-1.0, *moves]))
        return "decay" if rises == 0 else "warm-up" if rises == 1 and moves[0] > 0 else "cyclic"


def curves(
    overrides: Sequence[str], own: Path | None = None, *, space: int = 0
) -> Iterator[tuple[str, PreviewCurve]]:
    """Each combination's name and curve.

    Args:
        overrides: as typed; sweeps of several values are combinations.
        own: a person's folder of configs.
        space: points of its search space that each has beside it.

    Raises:
        ConfigError: an override cannot work.
    """
    postpone_compiler()
    register_resolvers()
    with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
        parser = OverridesParser.create(GlobalHydra.instance().config_loader())
        parsed = parser.parse_overrides(list(overrides))
        (combinations,) = BasicSweeper.split_arguments(parsed, max_batch_size=None)
        for words in combinations:
            yield _curve(own_files(own), words, space)


def _curve(search: list[str], words: Sequence[str], space: int) -> tuple[str, PreviewCurve]:
    from sweeps.runs.run_info import name
    from sweeps.runs.run_spec import prepare

    cfg = hydra.compose("config", [*search, *words], return_hydra_config=True)
    choices = {str(key): str(value) for key, value in cfg.hydra.runtime.choices.items()}
    spec = prepare(cfg)
    steps = min(spec.settings.steps, LONGEST)
    typed = {word.partition("=")[0] for word in words}
    others = tuple(_others(points(cfg, space, typed), [*search, *words], steps))
    watches = bool(spec.config["scheduler"].get("monitor"))
    plotted = PreviewCurve(_lrs(spec, steps), spec.settings.steps, spec.warnings, watches, others)
    return name(choices, words), plotted


def _others(found: Iterator[list[str]], words: list[str], steps: int) -> Iterator[list[float]]:
    """The curves of points; a trial at one that cannot work would fail."""
    from sweeps.runs.run_spec import prepare

    for point in found:
        with suppress(ConfigError):
            yield _lrs(prepare(hydra.compose("config", [*words, *point])), steps)


def _lrs(spec: "RunSpec", steps: int) -> list[float]:
    return [lrs[0] for lrs in spec.recipe.trace(steps).lrs]
