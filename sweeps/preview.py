"""`python -m sweeps.preview`: the learning-rate curves, drawn without training.

    python -m sweeps.preview [--space] [--out FILE] [--config-dir DIR] OVERRIDE ...

Overrides are those of `python -m sweeps`; a swept one draws a curve for each of its values:
`'scheduler=glob(*)'`, `scheduler=step scheduler.gamma=0.5,0.9 epochs=50`. More than six curves get
a panel each, by kind. A schedule that watches the loss is drawn for a loss that never improves and
for one that does. --space shades what the search of a sweep can reach.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from crashsafe import first_line
from sweeps.commands.command_line import folder, parser

if TYPE_CHECKING:
    from sweeps.previews.lr_curves import PreviewCurve

POINTS = 24  # of a search space


class PictureError(Exception):
    """The picture cannot be kept; the message is a line for a person."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw them; exit with 2 if an override cannot work, with 1 if the picture cannot be kept."""
    asked = _parser().parse_args(arguments)
    first_line.show("tracing the schedules: imports torch, some seconds ...")

    from sweeps.side_commands import in_one_line

    with in_one_line(PictureError):
        _preview(asked)


def _preview(asked: argparse.Namespace) -> None:
    from sweeps import console

    with console.spinner("tracing the schedules"):
        found = _curves(asked)
        try:
            _draw(found, asked)
        except (OSError, ValueError) as error:  # no such folder or kind of picture
            raise PictureError(f"--out {asked.out}: {str(error).splitlines()[0]}") from error
    for name, plotted in found.items():
        for line in plotted.warnings:
            console.warn(f"{name}: {line}")
    width = max(map(len, found))
    console.summary([(f"{name:<{width}}", plotted.words) for name, plotted in found.items()])
    size = os.stat(asked.out).st_size / 1024  # noqa: PTH116
    console.summary([("picture", f"{asked.out} ({size:.0f} KiB)")])


def _curves(asked: argparse.Namespace) -> "dict[str, PreviewCurve]":
    from sweeps.config.errors import ConfigError
    from sweeps.previews.lr_curves import curves

    space = POINTS if asked.space else 0
    found = dict(curves(asked.overrides, asked.config_dir, space=space))
    if not found:
        raise ConfigError(f"{' '.join(asked.overrides)} matches no schedule: nothing to draw")
    return found


def _draw(found: "dict[str, PreviewCurve]", asked: argparse.Namespace) -> None:
    from sweeps.previews.panel_chart import chart_of
    from sweeps.reports.plots.png_charts import draw
    from sweeps.reports.plots.styles import styles

    asked.out.parent.mkdir(parents=True, exist_ok=True)
    draw(chart_of(found, asked.columns), styles(found), asked.out)


def _count(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 12:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to 12")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    made = parser("sweeps.preview", __doc__)
    made.add_argument("overrides", metavar="OVERRIDE", nargs="*", help="such as scheduler=cosine")
    made.add_argument("--config-dir", type=folder, metavar="DIR", help="of your own files")
    made.add_argument("--out", type=Path, metavar="FILE", default=Path("preview.png"))
    made.add_argument("--space", action="store_true", help="shade the range of the search")
    made.add_argument("--columns", type=_count, metavar="N", default=4, help="panels side by side")
    return made


if __name__ == "__main__":
    main()
