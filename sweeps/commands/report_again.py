"""What `python -m sweeps.report` does: the files of a stored sweep again, and its answer."""

import argparse
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from sqlalchemy.exc import SQLAlchemyError

from hydra_plugins.optuna_families import sweeps
from lrlab.tracking.mlflow_commands import how_to_look
from lrlab.tracking.ui.ui_pages import running_link
from sweeps import console
from sweeps.reports import Review, read_review
from sweeps.reports.output import terminal, write_files
from sweeps.runs.sweep_run import folder_of
from sweeps.side_commands import in_one_line
from sweeps.verdict.verdict_lock import exclusive


class NothingToReportError(Exception):
    """No such study, or nothing in it; the message is a line for a person."""


def report(asked: argparse.Namespace) -> None:
    """List the studies, or make the files of one and print its answer.

    Args:
        asked: the arguments of `python -m sweeps.report`.

    Raises:
        SystemExit: 1 if there is nothing to report.
    """
    with in_one_line(NothingToReportError), _storage_errors():
        if asked.study is None:
            _list(asked.storage)
        else:
            _report(asked)


def _list(storage: str) -> None:
    names = sweeps(storage)
    if not names:
        raise NothingToReportError(f"there are no studies in {storage}")
    evaluated = [(folder_of(name).artifacts / write_files.VERDICT).exists() for name in names]
    console.summary(
        [
            ("study", name if known else f"{name}  (no verdict)")
            for name, known in zip(names, evaluated, strict=True)
        ]
    )


def _report(asked: argparse.Namespace) -> None:
    sweep = folder_of(asked.study)
    # Its own files are written by one command at a time.
    with exclusive(sweep) if asked.out is None and sweep.path.exists() else nullcontext():
        _write(asked, sweep.artifacts)


def _write(asked: argparse.Namespace, own: Path) -> None:
    out = own if asked.out is None else asked.out
    verdict = read_review.stored_verdict(own)
    with _bar() as bar:
        read = bar.add_task("reading trials", total=None)
        review = read_review.make_review(
            read_review.read_study(asked.storage, asked.study),
            verdict,
            lambda n, of: bar.update(read, completed=n, total=of),
        )
        _check(review)
        write = bar.add_task("writing files", total=None)
        say = lambda name: bar.update(write, description=f"writing {name}")  # noqa: E731
        write_files.write(review, out, say)
    terminal.show(review, console.out)
    look = how_to_look(asked.study, running_link(folder_of(asked.study)))
    console.summary([("files", os.path.relpath(out)), ("mlflow", look)])


def _check(review: Review) -> None:
    trials = [trial for family in review.families for trial in family.trials]
    if not trials:
        raise NothingToReportError(f"study {review.sweep} has no trials yet")
    if any(family.best for family in review.families):
        return
    states = Counter(trial.state for trial in trials)
    if set(states) == {"failed"}:
        why = f"; the last: {trials[-1].reason}" if trials[-1].reason else ""
        raise NothingToReportError(f"study {review.sweep}: all {len(trials)} trials failed{why}")
    counts = ", ".join(f"{number} {state}" for state, number in states.most_common())
    raise NothingToReportError(f"study {review.sweep} has no complete trial: {counts}")


@contextmanager
def _storage_errors() -> Iterator[None]:
    """What a storage or a file can do wrong, in a line."""
    try:
        yield
    except KeyError as error:
        raise NothingToReportError(str(error.args[0])) from error
    except (SQLAlchemyError, ImportError, RuntimeError) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise NothingToReportError(f"the studies cannot be read: {line}") from error
    except ValueError as error:
        line = str(error).splitlines()[0]
        raise NothingToReportError(f"{write_files.VERDICT} cannot be read: {line}") from error


def _bar() -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    return Progress(
        *columns, console=console.err, transient=True, disable=not console.err.is_terminal
    )
