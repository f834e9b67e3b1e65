"""Parameter groups that a task defines."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lrlab.tasks import Task
from sweeps.config.targets import locate

GroupSettings = dict[str, Any]  # of a group, beside its parameters


def has_own_groups(node: Mapping[str, Any]) -> bool:
    """Whether a task's node may stand for one that has parameter groups of its own.

    Raises:
        TargetError: its target may not be called from a config.
    """
    task: Any = locate(node.get("_target_"), "task")
    usual = isinstance(task, type) and issubclass(task, Task)
    return not (usual and task.parameter_groups is Task.parameter_groups)


@lru_cache(maxsize=4)
def group_settings(task: Task) -> list[GroupSettings]:
    """What each of a task's groups has beside its parameters; one of nothing where it has none."""
    groups = list(task.parameter_groups(task.model()))
    if not all(isinstance(group, dict) for group in groups):
        return [{}]
    return [{key: value for key, value in g.items() if key != "params"} for g in groups]
