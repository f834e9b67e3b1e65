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

import yaml
from omegaconf import OmegaConf
from yaml import YAMLError

from lrlab.history import read_history
from lrlab.tracking import RunFolder
from lrlab.tracking.mlflow import default_uri
from sweeps import console
from sweeps.codegen import command_of, snippet
from sweeps.config.errors import ConfigError
from sweeps.config.nodes import TRAINED
from sweeps.config.targets import TargetError
from sweeps.side_commands import in_one_line
from sweeps.stored.find_run import Place, find
from sweeps.stored.pick_run import Found, NotFoundError


def main(arguments: Sequence[str] | None = None) -> None:
    """Print or write it; exit with 1 if there is no such thing."""
    asked = _parser().parse_args(arguments)
    with in_one_line(NotFoundError, TargetError, ConfigError), TemporaryDirectory() as scratch:
        found = find(asked.what, asked.family, Place(asked.storage, asked.uri, Path(scratch)))
        text = program(found.run, found.why, found.judged)
        _give(text, found, asked.out)


def _give(text: str, found: Found, file: Path | None) -> None:
    if file is None:
        sys.stdout.write(text)
        return
    file.write_text(text, encoding="utf-8")
    run, warning = found.run, found.run.card().tags.get("warning")
    rows = [("schedule", outcome(run, found.judged)), ("command", command_line(run) or "unknown")]
    rows += [("warning", warning)] if warning else []
    console.summary([*rows, ("file", str(file))])


def program(run: RunFolder, why: str = "", judged: str = "") -> str:
    """The torch program of a run, headed by where it comes from.

    Args:
        run: with a config; trained to its end or not.
        why: why this run, such as `the best of study mine`.
        judged: the loss by which a verdict judged it, in words.

    Raises:
        NotFoundError: its config cannot be read.
        TargetError: its config names what no config may call.
        ConfigError: its config cannot work, or not be written as a program.
    """
    warning = run.card().tags.get("warning", "")
    lines = [", ".join(filter(None, [outcome(run, judged), why])), command_line(run)]
    lines.append(f"warning: {warning}" if warning else "")
    return snippet(_config(run.artifacts / "config.yaml"), list(filter(None, lines)))


def _config(path: Path) -> dict[str, Any]:
    try:
        config: Any = OmegaConf.to_container(OmegaConf.load(path))
    except YAMLError as error:
        raise NotFoundError(f"{path} is no YAML: it was cut off, or changed") from error
    missing = {*TRAINED, "epochs"}.difference(config)
    missing |= {group for group in TRAINED if group not in missing and not _is_node(config[group])}
    if missing:
        raise NotFoundError(f"{path} is no run's config: it lacks {', '.join(sorted(missing))}")
    found: dict[str, Any] = config  # it is a mapping, or it would lack them
    return found


def _is_node(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) for key in value)


def outcome(run: RunFolder, judged: str = "") -> str:
    """What a run is called and how far it came: `cosine lr=0.1: loss 0.04 after 100 epochs`.

    Args:
        run: to tell of.
        judged: what a verdict says of its loss, in the place of the one that it was tuned by.
    """
    if judged:
        return f"{run.card().name}: {judged}"
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
    try:
        # As plain YAML: an override that is an interpolation is text, and stays what was typed.
        return command_of(yaml.safe_load(job.read_text(encoding="utf-8"))["hydra"])
    except (YAMLError, LookupError, TypeError):
        return ""  # cut off, or changed


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
