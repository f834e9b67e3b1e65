"""Rejects sweeps whose trials cannot be compared by their loss on one problem."""

from collections.abc import Iterator, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from sweeps.codegen import typed_words
from sweeps.config.errors import ConfigError
from sweeps.config.validation.objectives import names_of

# What the loss is measured on. Not here: `epochs`, a question of budget, which trials may answer.
PROBLEM = ("task", "experiment", "seed", "seeds", "objective", "direction")
TUNABLE = ("task.batch_size",)  # part of the training, although it stands in the task's file


def check_sweep(config: DictConfig) -> None:
    """Refuse a sweep whose trials cannot be ranked by their loss.

    A sweeper that ranks nothing, such as Hydra's grid, may sweep anything.

    Args:
        config: of the sweep, with its node `hydra`.

    Raises:
        ConfigError: names the key and the way out.
    """
    if "study_name" not in config.hydra.sweeper:
        return
    _check_direction(config)
    for override in _swept(config):
        if _is_problem(override.key_or_group, config):
            raise ConfigError(
                f"{override.input_line}: {override.key_or_group} changes what the loss is measured "
                "on, so the trials could not be compared. Run a sweep for each value, each with "
                "its own hydra.sweeper.study_name; a key of the task that may be tuned belongs "
                "into the node `search` of the task's file"
            )


def _check_direction(config: DictConfig) -> None:
    found = names_of(config.hydra.sweeper.get("direction"))
    wanted = names_of(config.get("direction", "minimize"))
    names = [str(getattr(one, "name", one)) for one in found]
    if names != wanted:
        raise ConfigError(
            f"hydra.sweeper.direction={_listed(names)} is not allowed: trials are compared by "
            f"objective={_listed(names_of(config.get('objective', 'loss')))}, which "
            f"direction={_listed(wanted)} belongs to; say which metric is meant, such as "
            "objective=accuracy direction=maximize"
        )


def _listed(names: Sequence[object]) -> str:
    return str(names[0]) if len(names) == 1 else f"[{','.join(map(str, names))}]"


def _swept(config: DictConfig) -> Iterator[Override]:
    params = config.hydra.sweeper.get("params") or {}
    lines = [*typed_words(config.hydra), *(f"{key}={value}" for key, value in params.items())]
    for override in OverridesParser.create().parse_overrides(lines):
        if override.is_sweep_override():
            yield override


def _is_problem(key: str, config: DictConfig) -> bool:
    if key in TUNABLE or key.partition(".")[0] not in PROBLEM:
        return False
    node, _, name = key.partition(".")
    search = OmegaConf.select(config, f"{node}.{config.hydra.sweeper.get('search_key')}")
    return not (isinstance(search, DictConfig) and name in search)
