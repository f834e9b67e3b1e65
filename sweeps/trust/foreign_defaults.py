"""Which other files a foreign config file may choose, and where it may put them."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from hydra.core.default_element import ConfigDefault, GroupDefault, InputDefault, ResultDefault

from sweeps.trust.foreign_files import BUILT, refusal

CHOSEN = ("hydra/sweeper", *(f"hydra/sweeper/{group}" for group in BUILT))


def check_inside(name: Path, file: Path, folder: Path) -> None:
    """Refuse a file that is somewhere else: it could be one with secrets, which would be recorded.

    Args:
        name: of the file, with its folder.
        file: to which it leads, by symbolic links or `..`.
        folder: the config folder, resolved.

    Raises:
        ForeignFileError: the file is not in the folder.
    """
    if not file.is_relative_to(folder):
        raise refusal(name, "a link or .. leads out of the config folder")


def check_defaults(
    file: object, name: str, package: str | None, defaults: Iterable[InputDefault]
) -> None:
    """Check the other files that a file's defaults list chooses.

    Args:
        file: for the message.
        name: of the file in its folder, such as `scheduler/cosine`.
        package: of its header, if it has one: packages in its list are relative to it.
        defaults: its list.

    Raises:
        ForeignFileError: names the entry.
    """
    in_hydra = name.startswith("hydra/") or names_hydra(package)
    for default in defaults:
        path, choices = _chosen(default)
        if path == "_self_":
            continue
        if any(part.startswith("//") or ".." in part.split("/") for part in (path, *choices)):
            raise refusal(file, f"the default {path} leaves the config folder")
        target = _absolute(name, path)
        plain = target in CHOSEN and default.package is None and bool(choices)
        inside = in_hydra or target.split("/")[0] == "hydra" or names_hydra(default.package)
        if inside and not plain:
            moved = f"@{default.package}" if default.package else ""
            raise refusal(file, f"the default {path}{moved} can start a program")


def check_placed(parent: object, default: ResultDefault) -> None:
    """Check where a file is put that a defaults list chose, with all interpolations resolved.

    Args:
        parent: the file with the list if it is not trusted, else None.
        default: what it chose.

    Raises:
        ForeignFileError: it is put into Hydra's node, and not as its sweeper.
    """
    group = (default.config_path or "").rpartition("/")[0]
    searches = group in CHOSEN and default.package == group.replace("/", ".")
    if parent and names_hydra(default.package) and not searches:
        raise refusal(
            parent, f"the default {default.config_path}@{default.package} can start a program"
        )


def names_hydra(package: str | None) -> bool:
    """Whether a package is Hydra's node, or something in it."""
    return "hydra" in re.split(r"\W+", package or "")


def _chosen(default: InputDefault) -> tuple[str, list[str]]:
    """The path of a default, and the choices if it is a group."""
    if isinstance(default, GroupDefault):
        value = default.value
        return str(default.group), [value] if isinstance(value, str) else list(value or ())
    return (str(default.path), []) if isinstance(default, ConfigDefault) else ("", [])


def _absolute(name: str, path: str) -> str:
    """The path of a default from the root of the config folder.

    >>> _absolute("scheduler/mine", "/hydra/launcher"), _absolute("hydra/sweeper/mine", "sampler")
    ('hydra/launcher', 'hydra/sweeper/sampler')
    """
    path = path if path.startswith("/") else f"{PurePosixPath(name).parent}/{path}"
    return str(PurePosixPath(path.lstrip("/")))
