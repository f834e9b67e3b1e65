"""`python -m sweeps.export`: a run, or the best of a study, as torch code and as a command.

    python -m sweeps.export RUN|STUDY [--family NAME] [--out FILE] [--storage URL] [--uri URI]

The program needs torch and nothing of ours, and runs as it stands; its first lines say where it
comes from and give the command that trains the same again. Of a study it is the run that the
verdict recommends, else the best.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from omegaconf import OmegaConf
from yaml import YAMLError

from lrlab.history import read_history
from lrlab.tracking import RunFolder
from lrlab.tracking.mlflow import default_uri
from sweeps import console
from sweeps.finding import Place, find
from sweeps.picks import Found, NotFoundError
from sweeps.snippets import command_of, snippet
from sweeps.targets import TargetError


def main(arguments: Sequence[str] | None = None) -> None:
    """Print or write it; exit with 1 if there is no such thing."""
    asked = _parser().parse_args(arguments)
    try:
        with TemporaryDirectory() as scratch:
            found = find(asked.what, asked.family, Place(asked.storage, asked.uri, Path(scratch)))
            text = program(found.run, found.why)
            _give(text, found, asked.out)
    except (NotFoundError, TargetError) as error:
        console.fail(str(error))
        sys.exit(1)


def _give(text: str, found: Found, file: Path | None) -> None:
    if file is None:
        sys.stdout.write(text)
        return
    file.write_text(text, "utf-8")
    rows = [("schedule", outcome(found.run)), ("command", command_line(found.run) or "unknown")]
    console.summary([*rows, ("file", str(file))])


def program(run: RunFolder, why: str = "") -> str:
    """The torch program of a run, headed by where it comes from.

    Args:
        run: with a config; trained to its end or not.
        why: why this run, such as `the best of study mine`.

    Raises:
        NotFoundError: its config cannot be read.
        TargetError: its config names what no config may call.
    """
    lines = [", ".join(filter(None, [outcome(run), why])), command_line(run)]
    return snippet(_config(run.artifacts / "config.yaml"), list(filter(None, lines)))


def _config(path: Path) -> dict[str, Any]:
    try:
        config = OmegaConf.to_container(OmegaConf.load(path))
    except YAMLError as error:
        raise NotFoundError(f"{path} is no YAML: it was cut off, or changed") from error
    missing = {"task", "optimizer", "scheduler", "epochs"}.difference(config)  # type: ignore[arg-type]
    if missing:
        raise NotFoundError(f"{path} is no run's config: it lacks {', '.join(sorted(missing))}")
    return config  # type: ignore[return-value]  # it is a mapping, or it would lack them


def outcome(run: RunFolder) -> str:
    """What a run is called and how far it came: `cosine lr=0.1: loss 0.04 after 100 epochs`."""
    rows = read_history(run.history)
    if not rows:
        return f"{run.card().name}: not trained ({run.status()})"
    unfinished = "" if run.status() == "FINISHED" else f" ({run.status()})"
    last = rows[-1]
    return (
        f"{run.card().name}: loss {last['loss']:.6g} after {last['epoch']:.0f} epochs{unfinished}"
    )


def command_line(run: RunFolder) -> str:
    """The command that trains a run again; empty where it was not kept."""
    job = run.path / ".hydra" / "hydra.yaml"
    if not job.exists():
        return run.card().tags.get("command", "")
    return command_of(OmegaConf.load(job)["hydra"])  # type: ignore[index]  # it is a mapping


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m sweeps.export", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = argparse.SUPPRESS  # the text above has it
    parser.add_argument("what", metavar="RUN|STUDY", help="a run's id or folder, or a study's name")
    parser.add_argument("--family", metavar="NAME", help="of the study, such as cosine")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write the program there")
    storage = os.environ.get("SWEEPS_STORAGE", "sqlite:///mlruns/optuna.db")
    parser.add_argument("--storage", metavar="URL", default=storage, help="of the studies")
    uri = os.environ.get("MLFLOW_TRACKING_URI") or default_uri()
    parser.add_argument("--uri", metavar="URI", default=uri, help="of MLflow's store")
    return parser


if __name__ == "__main__":
    main()
