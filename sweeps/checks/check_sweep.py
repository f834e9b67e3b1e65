"""Validates everything in a sweep's config that is not swept, before the first trial."""

from collections.abc import Iterator

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from sweeps import console
from sweeps.checks.comparable import check_sweep
from sweeps.codegen import typed_words
from sweeps.config.config_groups import GROUPS, TRAINED, check_settings, read
from sweeps.config.error_messages import CONFIG_ERRORS, explain
from sweeps.config.errors import ConfigError
from sweeps.runs.startup import postpone_compiler
from sweeps.runs.trackers import open_tracker


def refuse(config: DictConfig) -> None:
    """End the command if no trial can work. For Hydra's callbacks, which pass only this one on.

    Raises:
        SystemExit: 2, after a line that says why.
    """
    before = HydraConfig.instance().cfg
    # The tracker's experiment is called as the task. A copy, which becomes read-only.
    HydraConfig.instance().set_config(config.copy())
    try:
        check(config)
    except CONFIG_ERRORS as error:
        console.fail(explain(error))
        raise SystemExit(2) from error
    finally:
        HydraConfig.instance().cfg = before


def check(config: DictConfig) -> None:
    """Check what can be compared, settings, tracker, and each group that no override sweeps.

    Args:
        config: of the sweep, with Hydra's node; what is swept has its default in it.

    Raises:
        ConfigError: a value that is missing or not allowed.
    """
    check_sweep(config)
    check_choices(config.hydra)
    check_settings(config)
    open_tracker(config)  # first: its process takes as long to get ready as torch
    postpone_compiler()
    swept = {key.partition(".")[0] for key in _swept(config)}
    for group in TRAINED:
        if group not in swept:
            read(config, group)


def check_choices(hydra: HydraConf) -> None:
    """Check that each group is one file: Hydra takes a list of them, too.

    Raises:
        ConfigError: it is not.
    """
    for group in GROUPS:
        if group not in hydra.runtime.choices and f"~{group}" not in typed_words(hydra):  # type: ignore[arg-type]
            raise ConfigError(f"{group} must be one name without brackets: {group}=NAME")


def _swept(config: DictConfig) -> Iterator[str]:
    yield from map(str, config.hydra.sweeper.get("params") or ())
    for override in OverridesParser.create().parse_overrides(typed_words(config.hydra)):
        if override.is_sweep_override():
            yield override.key_or_group
