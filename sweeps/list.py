"""`python -m sweeps.list`: what there is to choose, a line each, with the curve of each schedule.

    python -m sweeps.list [GROUP ...] [--config-dir DIR]
    python -m sweeps.list --completion [bash|zsh|fish]

Groups: scheduler, optimizer, task, experiment, tracking, sampler, pruner. With --completion it
prints how to let the TAB key complete commands, or the script for a shell.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sweeps.commands.command_line import parser
from sweeps.listing import completion, sparklines
from sweeps.listing.catalogue import GROUPS, Option, groups

SEARCH = ("sampler", "pruner")
HINTS = {"sampler": "hydra/sweeper/sampler=", "pruner": "hydra/sweeper/pruner="}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print it; exit with 2 if there is no such group."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["--complete"]:  # not argparse's business: the words may be anything
        print(*completion.candidates(words[1:]), sep="\n")  # noqa: T201
        return
    asked = _parser().parse_args(words)
    if asked.completion is not None:
        print(completion.SCRIPTS.get(asked.completion, completion.HOW))  # noqa: T201
    elif asked.remake:
        options = groups()["scheduler"]
        sparklines.store(list(zip(options, _traced(options, None), strict=True)))
    else:
        from sweeps.side_commands import in_one_line

        with in_one_line():
            _list(asked.groups or (*GROUPS, *SEARCH), asked.config_dir)


def _list(wanted: Sequence[str], own: Path | None) -> None:
    found = groups(own)
    for group in wanted:
        if group in found:
            longest = max(len(option.name) for option in found[group])
            _print(group, f"{group}=", _rows(group, found[group], own), longest)
        elif group in SEARCH:
            _print(group, HINTS[group], _search_rows(group))


def _print(group: str, typed: str, rows: Iterator[tuple[str, str, str]], longest: int = 20) -> None:
    from sweeps import console

    # Line by line: the first is there before a curve that has to be traced.
    width = shutil.get_terminal_size((100, 24)).columns if console.out.is_terminal else 1000
    console.out.print(f"{group}  ({typed}...)", style="bold")
    for name, curve, text in rows:
        column = f"{curve:<{sparklines.WIDTH}}  " if group == "scheduler" and _has_bars() else ""
        line = f"  {name:<{longest}}  {column}{text}"
        console.out.print(line if len(line) <= width else f"{line[: width - 3]}...")
    console.out.print()


def _rows(
    group: str, options: Sequence[Option], own: Path | None
) -> Iterator[tuple[str, str, str]]:
    curves = sparklines.stored(options) if group == "scheduler" else {}
    for option in options:
        if group == "scheduler" and option.name not in curves and _has_bars():
            [curves[option.name]] = _traced([option], own)
        yield option.name, curves.get(option.name, ""), option.text


def _search_rows(group: str) -> Iterator[tuple[str, str, str]]:
    from hydra_plugins.optuna_families.config import PRUNERS, SAMPLERS

    for name, node in (SAMPLERS if group == "sampler" else PRUNERS).items():
        yield name, "", node["_target_"]


def _traced(options: Sequence[Option], own: Path | None) -> list[str]:
    """The sparklines of schedules that are not stored: needs torch, seconds."""
    from sweeps.previews.lr_curves import curves

    lines = []
    for option in options:
        try:
            traced = dict(curves([f"scheduler={option.name}"], own))
        except Exception:
            lines.append("?")  # `preview` says what is wrong with it
        else:
            lines += [sparklines.sparkline(curve.lrs[:-1]) for curve in traced.values()]
    return lines


def _has_bars() -> bool:
    """Whether the terminal's encoding has the letters of a sparkline."""
    try:
        sparklines.BARS.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _parser() -> argparse.ArgumentParser:
    made = parser("sweeps.list", __doc__)
    made.add_argument("groups", nargs="*", metavar="GROUP", help="without it: all")
    made.add_argument("--config-dir", type=Path, metavar="DIR", help="of your own files")
    shells = ["how", *completion.SCRIPTS]
    made.add_argument("--completion", nargs="?", const="how", choices=shells, metavar="SHELL")
    made.add_argument("--remake", action="store_true", help=argparse.SUPPRESS)
    return made


if __name__ == "__main__":
    main()
