"""Fast copies of a config, one per trial."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Iterable, Mapping
from typing import Any

from omegaconf import DictConfig

from crashsafe.fast_paths import is_fast


class ConfigTemplate:
    """Makes copies of a config with other values.

    Unpickling is five times faster than OmegaConf's deepcopy. Values are set in the leaf nodes
    directly: OmegaConf's assignment searches flags and types in all parents.

    Args:
        config: takes ownership; do not modify it afterwards.
        shared: nodes that all copies share instead of copying them.
    """

    def __init__(self, config: DictConfig, shared: Iterable[Any] = ()) -> None:
        self._config, self._shared = config, list(shared)
        self._frozen = self._freeze()

    def _freeze(self) -> bytes | None:
        if not is_fast("config_copies"):
            return None
        buffer = io.BytesIO()
        pickler = _Pickler(buffer, pickle.HIGHEST_PROTOCOL)
        pickler.indices = {id(node): index for index, node in enumerate(self._shared)}
        try:
            pickler.dump(self._config)
        except (AttributeError, TypeError, pickle.PicklingError):
            return None  # a structured config whose class is local to a function
        return buffer.getvalue()

    def copy_with(self, values: Mapping[str, Any] | None = None) -> DictConfig:
        """Return a copy.

        Args:
            values: new values by path, each of the type of the old one.
        """
        copied = self._copy()
        for path, value in (values or {}).items():
            _leaf(copied, path)._val = value
        return copied

    def _copy(self) -> DictConfig:
        if self._frozen is None:
            return copy.deepcopy(self._config)
        unpickler = _Unpickler(io.BytesIO(self._frozen))
        unpickler.shared = self._shared
        copied: DictConfig = unpickler.load()
        return copied


class _Pickler(pickle.Pickler):
    """Pickles shared nodes by reference.

    See https://docs.python.org/3/library/pickle.html#persistence-of-external-objects.
    """

    indices: Mapping[int, int]  # id of a node -> index in `shared`

    def persistent_id(self, obj: Any) -> int | None:
        return self.indices.get(id(obj))


class _Unpickler(pickle.Unpickler):  # noqa: S301 (of our own bytes)
    shared: list[Any]

    def persistent_load(self, pid: int) -> Any:
        return self.shared[pid]


def _leaf(config: DictConfig, path: str) -> Any:
    node: Any = config
    for part in path.split("."):
        content = node._content
        node = content[int(part)] if isinstance(content, list) else content[part]
    return node
