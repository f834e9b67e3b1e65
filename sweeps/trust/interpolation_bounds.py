"""A limit on what one value resolves: OmegaConf resolves each interpolation each time it is named.

`a: ${b}${b}`, `b: ${c}${c}` and so on for thirty lines would be a billion of them.
"""

from functools import wraps
from typing import Any

from omegaconf.base import Container
from omegaconf.errors import InterpolationResolutionError

MOST = 10_000


def bound_interpolations() -> None:
    """Limit the interpolations behind one value, in this process."""
    resolve = getattr(Container, "resolve_parse_tree", None)  # an inner part, which may change
    if resolve is None or hasattr(resolve, "__wrapped__"):
        return
    depth = count = 0

    @wraps(resolve)
    def bounded(self: Container, *args: Any, **kwargs: Any) -> Any:
        nonlocal depth, count
        count = count + 1 if depth else 1
        if count > MOST:
            raise InterpolationResolutionError(f"more than {MOST} interpolations behind one value")
        depth += 1
        try:
            return resolve(self, *args, **kwargs)
        finally:
            depth -= 1

    Container.resolve_parse_tree = bounded  # type: ignore[method-assign]
