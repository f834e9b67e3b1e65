"""The help of `python -m sweeps`: one screen."""

import textwrap
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sweeps.listing.catalogue import groups, settings

EXAMPLES = """\
sweeps: which learning-rate schedule, which parameters, and how sure can I be?

  python -m sweeps scheduler=cosine                        one training
  python -m sweeps scheduler=step scheduler.gamma=0.5      your own values
  python -m sweeps -m scheduler=cosine,step                a sweep, a verdict
  python -m sweeps -m scheduler=cosine,step verdict=quick  a first look at it
  python -m sweeps -m hydra/sweeper=basic scheduler=a,b    a plain grid
  python -m sweeps --config-dir mine task=mine             your own files
"""
MORE = """\
every value:  python -m sweeps scheduler=step --cfg job --resolve
each option:  python -m sweeps.list         its curve:  python -m sweeps.preview
look:         python -m sweeps.ui           again:      python -m sweeps.report
use:          python -m sweeps.export NAME  send later: python -m sweeps.sync
TAB key:      python -m sweeps.list --completion    Hydra: ... --hydra-help"""
PACKAGES = ("torch", "hydra-core", "optuna", "mlflow")


def answer(words: Sequence[str]) -> str | None:
    """The text for `--help` or `--version`; None if neither is asked for."""
    if "--version" in words:
        return versions()
    return help_text(_own(words)) if {"--help", "-h"} & set(words) else None


def help_text(own: Path | None = None) -> str:
    """Examples, choices and where to read on, at most 80 columns wide."""
    lines = [
        _wrapped(f"{group}={', '.join(option.name for option in options)}")
        for group, options in groups(own).items()
    ]
    lines.append(_wrapped(f"settings: {', '.join(settings())}"))
    return "\n".join([EXAMPLES, *lines, "", MORE])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 80, subsequent_indent="    ")


def versions() -> str:
    """Our version, and those of the libraries that decide results."""
    return "\n".join(f"{name} {_version(name)}" for name in ("lr-sweeps", *PACKAGES))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _own(words: Sequence[str]) -> Path | None:
    """The value of `--config-dir`."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in ("--config-dir", "-cd"):
            return Path(following)
        if word.startswith("--config-dir="):
            return Path(word.partition("=")[2])
    return None
