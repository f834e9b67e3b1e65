"""Puts the checks of foreign files into Hydra's config loader.

Hydra acts on its own node as soon as it is composed (logging, callbacks, plugins), and composes in
many places: the command, its trials, the workers. So each file is checked where it is loaded.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path, PurePosixPath
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource

from sweeps.trust.file_bounds import check_bounds
from sweeps.trust.foreign_defaults import check_defaults, check_inside, check_placed, names_hydra
from sweeps.trust.foreign_files import check_content, check_search_path
from sweeps.trust.trusted_names import trusted

# How a person's own folders get into Hydra's search path; all others are those of packages.
ADDED = ("main", "command-line", "hydra.searchpath in main", "hydra.searchpath in command-line")
FOREIGN = "foreign_file"  # attribute of a `ConfigResult`


def guard_config_sources(own: Path) -> None:
    """Check every file that Hydra loads for this application from a folder that is not trusted.

    Args:
        own: the folder of this application's config files.
    """
    if hasattr(ConfigRepository.load_config, "__wrapped__"):
        return
    ConfigRepository.load_config = _checked_load(ConfigRepository.load_config, own.resolve())  # type: ignore[method-assign]
    ConfigLoaderImpl._load_single_config = _checked_place(ConfigLoaderImpl._load_single_config)  # type: ignore[method-assign]


def _checked_load(load: Callable[..., ConfigResult | None], own: Path) -> Any:
    @wraps(load)
    def load_config(self: ConfigRepository, config_path: str) -> ConfigResult | None:
        source = self._find_object_source(config_path, ObjectType.CONFIG)
        file = _foreign_file(source, config_path, own) if source and _is_ours(self, own) else None
        if not file:
            return load(self, config_path)
        if isinstance(file, Path):
            check_bounds(file)
        result = load(self, config_path)
        if result is not None:
            setattr(result, FOREIGN, file)
            check_search_path(file, result.config)
            package, defaults = result.header.get("package"), result.defaults_list or ()
            check_defaults(file, config_path, package, defaults)
        return result

    return load_config


def _checked_place(load: Callable[..., ConfigResult]) -> Any:
    @wraps(load)
    def load_single_config(self: ConfigLoaderImpl, default: Any, repo: Any) -> ConfigResult:
        result = load(self, default, repo)
        if file := getattr(result, FOREIGN, None):
            check_content(file, result.config)
        elif default.parent and names_hydra(default.package):
            # A trusted file may still have been put there by one that is not.
            parent = repo.load_config(default.parent)
            check_placed(getattr(parent, FOREIGN, None), default)
        return result

    return load_single_config


def _is_ours(repository: ConfigRepository, own: Path) -> bool:
    """Whether the config is this application's: another one in the process has its own rules."""
    mains = (own, *trusted().folders)  # `--config-path` may name a trusted one
    return any(
        source.scheme() == "file" and Path(source.path).resolve() in mains
        for source in repository.sources
    )


def _foreign_file(source: ConfigSource, name: str, own: Path) -> Path | str | None:
    """The file of a config if it is not trusted.

    Raises:
        ForeignFileError: it is not in its folder, by `..` or a symbolic link.
    """
    leaves = ".." in PurePosixPath(name).parts
    if source.scheme() == "file":
        folder, folders = Path(source.path).resolve(), (own, *trusted().folders)
        file = (folder / source._normalize_file_name(name)).resolve()
        own_link = not leaves and _is_inside(folder, folders)
        if own_link or _is_inside(file, folders) or source.provider not in ADDED:
            return None
        check_inside(Path(source.path, name), file, folder)
        return file
    other = source.scheme() not in ("pkg", "structured") and source.provider in ADDED
    return f"{source.scheme()}://{source.path}/{name}" if leaves or other else None


def _is_inside(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
