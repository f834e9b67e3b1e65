"""Where the config files are, and the words that they may use beyond OmegaConf's own."""

from pathlib import Path
from typing import Any
from uuid import uuid4

from omegaconf import OmegaConf

from lrlab.expressions import evaluate


def conf_dir() -> Path:
    """The folder of the config files: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent
    return package / "conf" if (package / "conf").exists() else package.parent / "conf"


def register_resolvers() -> None:
    """Teach OmegaConf `${calc:'...'}` (arithmetic) and `${unique:}` (a word of its own a run)."""
    OmegaConf.register_new_resolver("calc", _calc, replace=True)
    OmegaConf.register_new_resolver("unique", lambda: uuid4().hex[:8], replace=True, use_cache=True)


def _calc(expression: str) -> Any:
    return evaluate(expression)
