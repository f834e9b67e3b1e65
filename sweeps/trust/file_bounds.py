"""Limits on the size of a foreign config file: reading it takes a moment, whatever is in it."""

from pathlib import Path

import yaml
from hydra.errors import HydraException

BYTES = 1_000_000
VALUES = 20_000  # each alias (`*name`) counted as what it stands for
DEPTH = 50
DIGITS = 4_000  # characters of one value


class FileBoundError(HydraException):
    """A config file is too large to be one."""


def check_bounds(file: Path) -> None:
    """Refuse a file that would take long to read.

    Malformed YAML is left to whoever reads the file.

    Raises:
        FileBoundError: it is too long or too deep, or too large with its aliases filled in.
    """
    if file.stat().st_size > BYTES:
        raise FileBoundError(f"{file}: a config file may have {BYTES} bytes at most")
    try:
        _count(file)
    except (yaml.YAMLError, UnicodeDecodeError):
        return


def _count(file: Path) -> None:
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = [(None, 0)]  # anchor, values so far
    for event in yaml.parse(file.read_text("utf-8"), Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, 1))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_nodes.pop()
            _add(open_nodes, size)
            sizes |= {anchor: size} if anchor else {}
        elif isinstance(event, yaml.ScalarEvent):
            _add(open_nodes, 1)
            sizes |= {event.anchor: 1} if event.anchor else {}
            if len(event.value) > DIGITS:
                raise FileBoundError(f"{file}: a value may have {DIGITS} characters at most")
        elif isinstance(event, yaml.AliasEvent):
            # One that is unknown or still open is an error of the file, or contains itself.
            _add(open_nodes, sizes.get(event.anchor or "", VALUES + 1))
        if open_nodes[-1][1] > VALUES:
            raise FileBoundError(f"{file}: a config file may hold {VALUES} values at most")
        if len(open_nodes) > DEPTH:
            raise FileBoundError(f"{file}: nested too deeply, {DEPTH} levels at most")


def _add(open_nodes: list[tuple[str | None, int]], size: int) -> None:
    anchor, before = open_nodes[-1]
    open_nodes[-1] = anchor, before + size


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
