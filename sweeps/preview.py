"""`python -m sweeps.preview`: the learning-rate curves, drawn without training.

    python -m sweeps.preview [--config-dir DIR] [--out FILE] OVERRIDE ...

Overrides are those of `python -m sweeps`; a swept one draws a curve for each of its values:
`'scheduler=glob(*)'`, `scheduler=step scheduler.gamma=0.5,0.9 epochs=50`. A schedule that watches
the loss sees one that never improves.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import hydra
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

from sweeps import console
from sweeps.commands import in_one_line
from sweeps.config import conf_dir, register_resolvers
from sweeps.errors import ConfigError
from sweeps.startup import postpone_compiler

FORMATS = (".png", ".svg", ".pdf", ".jpg", ".webp")
LONGEST = 50_000  # steps that are drawn


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw them; exit with 2 if an override cannot work."""
    asked = _parser().parse_args(arguments)
    with in_one_line():
        _preview(asked)


def _preview(asked: argparse.Namespace) -> None:
    register_resolvers()
    own = [] if asked.config_dir is None else [f"file://{asked.config_dir.absolute()}"]
    search = [f"hydra.searchpath={own}"] if own else []
    with hydra.initialize_config_dir(str(conf_dir()), version_base="1.3"):
        curves = dict(_curves(asked.overrides, search))
    if not curves:
        raise ConfigError(f"{' '.join(asked.overrides)} matches no schedule: nothing to draw")
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    _draw(curves, asked.out)
    width = max(map(len, curves))
    console.summary([(f"{name:<{width}}", _words(lrs)) for name, lrs in curves.items()])
    console.summary([("picture", str(asked.out))])


def _words(lrs: list[float]) -> str:
    return f"lr {lrs[0]:.4g} at first, {max(lrs):.4g} at most, {lrs[-1]:.4g} at the end"


def _curves(overrides: list[str], search: list[str]) -> Iterator[tuple[str, list[float]]]:
    """Each combination's name and the learning rate before each step and after the last."""
    postpone_compiler()

    from sweeps.cards import name
    from sweeps.experiment import prepare

    parser = OverridesParser.create(GlobalHydra.instance().config_loader())
    parsed = parser.parse_overrides(overrides)
    (combinations,) = BasicSweeper.split_arguments(parsed, max_batch_size=None)
    for words in combinations:
        cfg = hydra.compose("config", [*search, *words], return_hydra_config=True)
        choices = {str(key): str(value) for key, value in cfg.hydra.runtime.choices.items()}
        experiment = prepare(cfg)
        steps = min(experiment.settings.steps, LONGEST)
        yield name(choices, words), [lrs[0] for lrs in experiment.recipe.curve(steps).lrs]


def _draw(curves: dict[str, list[float]], path: Path) -> None:
    from sweeps.review.charts import Axis, Curves, Line
    from sweeps.review.pictures import draw
    from sweeps.review.styles import styles

    lines = [Line(name, range(len(lrs)), lrs, steps=True) for name, lrs in curves.items()]
    title = f"Learning rate of {len(lines)} schedules" if len(lines) > 1 else lines[0].family
    chart = Curves("preview", title, Axis("step"), Axis("learning rate", from_zero=True), lines)
    draw(chart, styles(curves), path)


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text!r}")
    return Path(text)


def _picture(text: str) -> Path:
    if not text.lower().endswith(FORMATS):
        raise argparse.ArgumentTypeError(f"{text!r} must end in one of {', '.join(FORMATS)}")
    return Path(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m sweeps.preview", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = argparse.SUPPRESS  # the text above has it
    parser.add_argument("overrides", metavar="OVERRIDE", nargs="*", help="such as scheduler=cosine")
    parser.add_argument("--config-dir", type=_folder, metavar="DIR", help="of your own files")
    parser.add_argument("--out", type=_picture, metavar="FILE", default=Path("preview.png"))
    return parser


if __name__ == "__main__":
    main()
