"""A stored run as a torch program and as a command."""

from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from yaml import YAMLError

from lrlab.history import read_history
from lrlab.tracking import RunFolder
from sweeps.codegen import command_of, snippet, stored_command
from sweeps.config.config_groups import TRAINED
from sweeps.stored.select_run import NotFoundError
from sweeps.trust.file_bounds import FileBoundError, check_bounds


def program(run: RunFolder, why: str = "", verdict_loss: str = "") -> str:
    """The torch program of a run, headed by where it comes from.

    Args:
        run: with a config; trained to its end or not.
        why: why this run, such as `the best of study mine`.
        verdict_loss: the loss by which a verdict judged it, in words.

    Raises:
        NotFoundError: its config cannot be read.
        FileBoundError: its config is too large to be one.
        TargetError: its config names what no config may call.
        ConfigError: its config cannot work, or not be written as a program.
    """
    warning = run.info().tags.get("warning", "")
    lines = [", ".join(filter(None, [outcome(run, verdict_loss), why])), command_line(run)]
    lines.append(f"warning: {warning}" if warning else "")
    return snippet(_config(run.artifacts / "config.yaml"), list(filter(None, lines)))


def _config(path: Path) -> dict[str, Any]:
    check_bounds(path)
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


def outcome(run: RunFolder, verdict_loss: str = "") -> str:
    """What a run is called and how far it came: `cosine lr=0.1: loss 0.04 after 100 epochs`.

    Args:
        run: to tell of.
        verdict_loss: what a verdict says of its loss, in the place of the one that it was tuned by.
    """
    if verdict_loss:
        return f"{run.info().name}: {verdict_loss}"
    rows = read_history(run.history)
    if not rows:
        return f"{run.info().name}: not trained ({run.status()})"
    unfinished = "" if run.status() == "FINISHED" else f" ({run.status()})"
    last, name = rows[-1], run.info().tags.get("objective", "loss")
    value = f"{name} {last[name]:.6g}"
    return f"{run.info().name}: {value} after {last['epoch']:.0f} epochs{unfinished}"


def command_line(run: RunFolder) -> str:
    """The command that trains a run again; empty where it was not kept."""
    job = run.path / ".hydra" / "hydra.yaml"
    if not job.exists():
        return stored_command(run.info().tags.get("command", ""))
    try:
        # As plain YAML: an override that is an interpolation is text, and stays what was typed.
        check_bounds(job)
        return command_of(yaml.safe_load(job.read_text(encoding="utf-8"))["hydra"])
    except (YAMLError, LookupError, TypeError, FileBoundError):
        return ""  # cut off, or changed
