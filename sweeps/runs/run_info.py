"""Name, parameters and tags of a run in the tracker."""

import getpass
import hashlib
import json
import platform
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from crashsafe.masking import masked
from lrlab.tracking import RunInfo
from sweeps.config.config_groups import TRAINED
from sweeps.runs.sweep_run import JobInfo, typed

if TYPE_CHECKING:
    from sweeps.runs.run_spec import RunSpec

PACKAGES = ("torch", "hydra-core", "optuna", "mlflow", "lr-sweeps")
MATTER = (*TRAINED, "epochs", "seed", "seeds", "optimizer.lr")
LEFT_OUT = ("search", "require", "expect", "hydra")  # says nothing about what was trained


def run_info(spec: "RunSpec", job_info: JobInfo) -> RunInfo:
    """The name, params and tags of a run.

    Args:
        spec: what is to be trained.
        job_info: what was chosen, typed and, in a sweep, suggested.
    """
    from lrlab import devices  # torch's import, which the names of runs do not need

    configs, choices = spec.config, job_info.context.choices
    params = dict(flatten({key: value for key, value in configs.items() if key not in TRAINED}))
    for group in TRAINED:
        params |= {group: choices[group]} | dict(flatten(configs[group], f"{group}."))
    if job_info.context.sweep is not None:
        # What all trials share stands in each one's config.yaml; a table needs what differs.
        chosen = {
            *MATTER,
            *(override.lstrip("+").partition("=")[0] for override in job_info.overrides),
        }
        params = {key: value for key, value in params.items() if key in chosen}
    base = rejected_run_info(job_info)
    tags = {"device": devices.full_name(spec.device)} | _versions() | source()
    if spec.objective.name != "loss":
        tags["objective"] = spec.objective.name
    if len(spec.objectives) > 1:
        tags["objectives"] = ",".join(objective.name for objective in spec.objectives)
    if spec.warnings:
        tags["warning"] = "; ".join(spec.warnings)
    data = dataset(choices["task"], configs["task"])
    return RunInfo(base.name, params, {**base.tags, **tags}, base.parent, data)


def dataset(task: str, config: Mapping[str, Any]) -> dict[str, str]:
    """What MLflow shows as the data of a run: the task, and a digest that changes with its config.

    >>> dataset("moons", {"_target_": "moons.Moons", "n": 5, "batches": 1})["digest"]
    '474b375b'
    """
    text = json.dumps(dict(flatten({k: v for k, v in config.items() if k != "batches"})))
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return {"name": task, "digest": digest, "source": str(config["_target_"])}


def rejected_run_info(job_info: JobInfo) -> RunInfo:
    """The name and tags of a run whose config was rejected."""
    context, sweep = job_info.context, job_info.context.sweep
    tags = {group: context.choices[group] for group in TRAINED} | {"command": job_info.command}
    if sweep is None:
        tags["role"] = "run"
        return RunInfo(name(context.choices, job_info.overrides), {}, tags)
    tags |= {"role": "trial", "trial": str(job_info.number), "family": context.family}
    tags["study"] = context.study or ""
    own = [word for word in job_info.overrides if masked(word) not in typed(sweep)]
    return RunInfo(name(context.choices, own), {}, tags, str(sweep.path))


def name(choices: Mapping[str, str], overrides: Sequence[str]) -> str:
    """The scheduler, then whatever else was typed or sampled, short enough to read.

    A table of runs cuts names off: the scheduler's arguments come first.

    >>> name({"scheduler": "step"}, ["scheduler=step", "optimizer.lr=0.1234", "scheduler.gamma=1"])
    'step gamma=1 lr=0.123'
    """
    kept = [
        text for text in overrides if not text.startswith(("scheduler=", "tracking", "verdict."))
    ]
    ordered = sorted(kept, key=lambda text: not text.lstrip("+").startswith("scheduler."))
    return " ".join([choices["scheduler"], *map(_short, ordered)])


def _short(override: str) -> str:
    key, _, value = override.lstrip("+").partition("=")
    key = key.removeprefix("scheduler.").removeprefix("optimizer.")
    return (
        f"{key}={float(value):.3g}"
        if re.fullmatch(r"-?\d*\.\d+(e-?\d+)?", value)
        else (f"{key}={value}")
    )


def flatten(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every leaf by its dotted name, in letters that MLflow takes.

    >>> dict(flatten({"lr": 0.1, "betas": [0.9, 0.99], "search": {"lr": "..."}}, "optimizer."))
    {'optimizer.lr': 0.1, 'optimizer.betas': [0.9, 0.99]}
    """
    for key, value in node.items():
        if key in LEFT_OUT:
            continue
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield re.sub(r"[^\w\-. :/]", "_", f"{prefix}{key}"), value


@cache
def _versions() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES} | {
        "python": platform.python_version()
    }


def source() -> dict[str, str]:
    """Where a run comes from, as MLflow shows it."""
    return {"mlflow.source.name": "sweeps", "mlflow.user": _user()} | _commit()


@cache
def _user() -> str:
    """Whoever runs this; a container's user may have no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@cache
def _commit() -> dict[str, str]:
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 (the git of whoever runs this)
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return {}
    return {"mlflow.source.git.commit": found.stdout.strip()}
