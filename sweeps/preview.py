"""`python -m sweeps.preview`: the learning-rate curves, drawn without training.

    python -m sweeps.preview [--config-dir DIR] [--out FILE] OVERRIDE ...

Overrides are those of `python -m sweeps`; a swept one draws a curve for each of its values:
`'scheduler=glob(*)'`, `scheduler=step scheduler.gamma=0.5,0.9 epochs=50`. A schedule that watches
the loss sees one that never improves.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

from sweeps import console
from sweeps.config.errors import ConfigError
from sweeps.config.resolvers import conf_dir, own_files, register_resolvers
from sweeps.runs.startup import postpone_compiler
from sweeps.side_commands import in_one_line

LONGEST = 50_000  # steps that are drawn


class PictureError(Exception):
    """The picture cannot be kept; the message is a line for a person."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw them; exit with 2 if an override cannot work, with 1 if the picture cannot be kept."""
    asked = _parser().parse_args(arguments)
    with in_one_line(PictureError):
        _preview(asked)


def _preview(asked: argparse.Namespace) -> None:
    register_resolvers()
    with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
        curves = dict(_curves(asked.overrides, own_files(asked.config_dir)))
    if not curves:
        raise ConfigError(f"{' '.join(asked.overrides)} matches no schedule: nothing to draw")
    try:
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        _draw(curves, asked.out)
    except (OSError, ValueError) as error:  # no such folder or kind of picture
        raise PictureError(f"--out {asked.out}: {str(error).splitlines()[0]}") from error
    for name, plotted in curves.items():
        for line in plotted.warnings:
            console.warn(f"{name}: {line}")
    width = max(map(len, curves))
    console.summary([(f"{name:<{width}}", plotted.words) for name, plotted in curves.items()])
    console.summary([("picture", str(asked.out))])


@dataclass(frozen=True)
class PreviewCurve:
    """A curve: the learning rate before each step and after the last that is drawn.

    >>> PreviewCurve([0.5, 0.25], 1).words
    'lr 0.5 at first, 0.5 at most, 0.25 at the end'
    >>> PreviewCurve([0.5, 0.25], 9).words
    'lr 0.5 at first, 0.5 at most, 0.25 at step 1 of 9'
    """

    lrs: list[float]
    steps: int  # of the run, which may go on
    warnings: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The curve in a line."""
        plotted = len(self.lrs) - 1
        last = f"at step {plotted} of {self.steps}" if plotted < self.steps else "at the end"
        highest = f"{max(self.lrs):.4g} at most"
        return f"lr {self.lrs[0]:.4g} at first, {highest}, {self.lrs[-1]:.4g} {last}"


def _curves(overrides: list[str], search: list[str]) -> Iterator[tuple[str, PreviewCurve]]:
    """Each combination's name and curve."""
    postpone_compiler()

    from sweeps.runs.run_info import name
    from sweeps.runs.run_spec import prepare

    parser = OverridesParser.create(GlobalHydra.instance().config_loader())
    parsed = parser.parse_overrides(overrides)
    (combinations,) = BasicSweeper.split_arguments(parsed, max_batch_size=None)
    for words in combinations:
        cfg = hydra.compose("config", [*search, *words], return_hydra_config=True)
        choices = {str(key): str(value) for key, value in cfg.hydra.runtime.choices.items()}
        spec = prepare(cfg)
        steps = spec.settings.steps
        curve = spec.recipe.trace(min(steps, LONGEST)).lrs
        plotted = PreviewCurve([lrs[0] for lrs in curve], steps, spec.warnings)
        yield name(choices, words), plotted


def _draw(curves: dict[str, PreviewCurve], path: Path) -> None:
    from sweeps.reports.plots.charts import Axis, Curves, Line
    from sweeps.reports.plots.png_charts import draw
    from sweeps.reports.plots.styles import styles

    lines = [Line(name, range(len(c.lrs)), c.lrs, steps=True) for name, c in curves.items()]
    title = f"Learning rate of {len(lines)} schedules" if len(lines) > 1 else lines[0].family
    if any(curve.steps > LONGEST for curve in curves.values()):
        title += f", first {LONGEST} steps"
    path.parent.mkdir(parents=True, exist_ok=True)
    chart = Curves("preview", title, Axis("step"), Axis("learning rate", from_zero=True), lines)
    draw(chart, styles(curves), path)


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text!r}")
    return Path(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m sweeps.preview", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = argparse.SUPPRESS  # the text above has it
    parser.add_argument("overrides", metavar="OVERRIDE", nargs="*", help="such as scheduler=cosine")
    parser.add_argument("--config-dir", type=_folder, metavar="DIR", help="of your own files")
    parser.add_argument("--out", type=Path, metavar="FILE", default=Path("preview.png"))
    return parser


if __name__ == "__main__":
    main()
