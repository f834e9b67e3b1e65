"""What must happen before the first optimizer for the command to start fast.

torch imports its compiler (`torch._dynamo`, more than a second, a quarter of a short run) at the
first `Optimizer.step` of every program, for two calls that do nothing outside of compiled code:
`graph_break()` and `disable(function)`. torch offers no switch for that. So a stand-in that knows
those two waits under the compiler's name, and makes way for the real one as soon as anything else
of it is wanted. `tests/test_startup.py` fails where torch's habits change.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from crashsafe.fast_paths import is_fast

COMPILER = "torch._dynamo"


class StandIn(ModuleType):
    """The compiler's two calls in plain training; the compiler itself for everything else."""

    def graph_break(self, *_: Any) -> None:
        """Nothing is being compiled, so nothing breaks."""

    def disable(self, function: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
        """Nothing is being compiled, so nothing is to be exempted."""
        return function

    def __getattr__(self, name: str) -> Any:
        return getattr(_real(), name)


class InnerModules:
    """Finds the compiler's inner modules after the compiler, which imports most of them itself."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:  # noqa: ARG002
        """An inner module that the compiler's own import has just brought is not made twice."""
        if not name.startswith(COMPILER + ".") or not isinstance(_current(), StandIn):
            return None
        _real()
        return ModuleSpec(name, self) if name in sys.modules else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The one that is there."""
        return sys.modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """It has run."""


def postpone_compiler() -> None:
    """Put the stand-in in place, unless the compiler is there already."""
    importlib.import_module("torch")  # whole first: its own import may look for the compiler
    if COMPILER not in sys.modules and is_fast("compiler"):
        sys.modules[COMPILER] = StandIn(COMPILER)
        sys.meta_path.insert(0, InnerModules())


def _current() -> ModuleType | None:
    return sys.modules.get(COMPILER)


def _real() -> ModuleType:
    if isinstance(_current(), StandIn):
        del sys.modules[COMPILER]
    return importlib.import_module(COMPILER)
