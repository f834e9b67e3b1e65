"""A stored run as a torch program and as a command."""

from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from yaml import YAMLError

from lrlab.history import read_history
from lrlab.tracking import RunFolder
from sweeps.codegen import command_of, snippet, stored_command
from sweeps.config.config_groups import TRAINED
from sweeps.config.resolvers import register_resolvers
from sweeps.stored.select_run import NotFoundError
from sweeps.trust.file_bounds import FileBoundError, check_bounds

LR = "optimizer.lr"


def program(run: RunFolder, why: str = "", verdict_loss: str = "", lr_factor: float = 1.0) -> str:
    """The torch program of a run, headed by where it comes from.

    Args:
        run: with a config; trained to its end or not.
        why: why this run, such as `the best of study mine`.
        verdict_loss: the loss by which a verdict judged it, in words.
        lr_factor: multiple of its learning rate to use.

    Raises:
        NotFoundError: its config cannot be read.
        FileBoundError: its config is too large to be one.
        TargetError: its config names what no config may call.
        ConfigError: its config cannot work, or not be written as a program.
    """
    warning = run.info().tags.get("warning", "")
    about = ", ".join(filter(None, [outcome(run, verdict_loss, lr_factor), why]))
    lines = [about, command_line(run, lr_factor)]
    lines.append(f"warning: {warning}" if warning else "")
    config = _config(run.artifacts / "config.yaml") if lr_factor == 1 else with_lr(run, lr_factor)
    return snippet(config, list(filter(None, lines)))


def with_lr(run: RunFolder, factor: float) -> dict[str, Any]:
    """The resolved config of a run with a multiple of its lr, and of all that follows it."""
    from sweeps.runs.run_spec import prepare  # needs torch

    return prepare(unresolved(run.path, factor)).config


def unresolved(folder: Path, factor: float) -> DictConfig:
    """The config of a job as it was composed, with a multiple of its lr.

    Args:
        folder: of the job.
        factor: multiple.
    """
    register_resolvers()
    file = folder / ".hydra" / "config.yaml"
    check_bounds(file)
    config = OmegaConf.load(file)
    if not isinstance(config, DictConfig):
        raise NotFoundError(f"{file} is no config")
    lr = float(OmegaConf.select(config, LR)) * factor
    OmegaConf.update(config, LR, float(f"{lr:.6g}"))  # as the command has it
    return config


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


def outcome(run: RunFolder, verdict_loss: str = "", lr_factor: float = 1.0) -> str:
    """What a run is called and how far it came: `cosine lr=0.1: loss 0.04 after 100 epochs`.

    Args:
        run: to tell of.
        verdict_loss: what a verdict says of its loss, in the place of the one that it was tuned by.
        lr_factor: multiple of its learning rate by which the verdict is.
    """
    if verdict_loss:
        return f"{_name(run, lr_factor)}: {verdict_loss}"
    rows = read_history(run.history)
    if not rows:
        return f"{run.info().name}: not trained ({run.status()})"
    unfinished = "" if run.status() == "FINISHED" else f" ({run.status()})"
    last, name = rows[-1], run.info().tags.get("objective", "loss")
    value = f"{name} {last[name]:.6g}"
    return f"{run.info().name}: {value} after {last['epoch']:.0f} epochs{unfinished}"


def _name(run: RunFolder, lr_factor: float) -> str:
    """The name of a run, with the learning rate that is recommended in the place of its own."""
    name = run.info().name
    if lr_factor == 1:
        return name
    lr = OmegaConf.select(unresolved(run.path, lr_factor), LR)
    rest = [word for word in name.split() if not word.startswith("lr=")]
    return " ".join([*rest, f"lr={lr:.3g}"])


def command_line(run: RunFolder, lr_factor: float = 1.0) -> str:
    """The command that trains a run again; empty where it was not kept.

    Args:
        run: with the files of its job.
        lr_factor: multiple of its learning rate to use.
    """
    job = run.path / ".hydra" / "hydra.yaml"
    if not job.exists():
        return stored_command(run.info().tags.get("command", ""))
    try:
        # As plain YAML: an override that is an interpolation is text, and stays what was typed.
        check_bounds(job)
        hydra = yaml.safe_load(job.read_text(encoding="utf-8"))["hydra"]
        if lr_factor != 1:
            lr = OmegaConf.select(unresolved(run.path, lr_factor), LR)
            words = [word for word in hydra["overrides"]["task"] if not word.startswith(f"{LR}=")]
            hydra["overrides"]["task"] = [*words, f"{LR}={lr:.6g}"]
        return command_of(hydra)
    except (YAMLError, LookupError, TypeError, FileBoundError):
        return ""  # cut off, or changed
