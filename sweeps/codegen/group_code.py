"""The parameter groups of a task that has its own, as a program writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeps.codegen.layout import fit
from sweeps.codegen.literals import literal
from sweeps.config.config_groups import instantiate
from sweeps.config.errors import ConfigError
from sweeps.config.targets import TargetError

PLACEHOLDER = '''\
class Placeholder(torch.nn.Module):
    """Has parameters of the same names as the run's model, a number each."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        for name in names:
            *path, last = name.split(".")
            module = self
            for part in path:
                if not hasattr(module, part):
                    module.add_module(part, torch.nn.Module())
                module = getattr(module, part)
            module.register_parameter(last, torch.nn.Parameter(torch.randn(1, 1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum(dim=1, keepdim=True) * sum(self.parameters())'''


@dataclass(frozen=True)
class Group:
    """One parameter group.

    Args:
        names: of its parameters in the model.
        settings: what it has other than the optimizer's own arguments say, such as a `lr`.
    """

    names: list[str]
    settings: Mapping[str, Any]


def has_own_step(node: Mapping[str, Any]) -> bool:
    """Whether a task overrides `Task.training_step`; false where it cannot be known here."""
    from lrlab.tasks import Task  # late: it needs torch, which takes seconds
    from sweeps.config.targets import locate

    try:
        task: Any = locate(node.get("_target_"), "task")
    except TargetError:
        return False
    return getattr(task, "training_step", Task.training_step) is not Task.training_step


def own_groups(config: Mapping[str, Any]) -> list[Group]:
    """The parameter groups of a run, by name; none where they are simply all parameters.

    Only a task that has groups of its own is made for this, on the CPU.

    Raises:
        ConfigError: they cannot be found out.
    """
    from sweeps.config.parameter_groups import (
        has_own_groups,  # late: it needs torch, which takes seconds
    )

    try:
        return _found(config) if has_own_groups(config["task"]) else []
    except TargetError as error:
        raise ConfigError(f"task._target_: {error}") from error


def _found(config: Mapping[str, Any]) -> list[Group]:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.get("seed", 0))
        try:
            task = instantiate("task", config["task"], device=torch.device("cpu"))
            model = task.model()
            optimizer = instantiate(
                "optimizer", config["optimizer"], params=task.parameter_groups(model)
            )
        except Exception as error:  # of a person's own code, such as data that are not here
            raise ConfigError(f"task: it cannot be made here: {error}") from error
    known = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = [_group(group, optimizer.defaults, known) for group in optimizer.param_groups]
    return [] if groups == [Group(list(known.values()), {})] else groups


def _group(
    group: Mapping[str, Any], defaults: Mapping[str, Any], known: Mapping[int, str]
) -> Group:
    if not known.keys() >= {id(parameter) for parameter in group["params"]}:
        raise ConfigError("task: a parameter of its groups is none of the model's")
    own = {
        key: value
        for key, value in group.items()
        if key not in ("params", "param_names") and not (key in defaults and value == defaults[key])
    }
    return Group([known[id(parameter)] for parameter in group["params"]], own)


def as_params(groups: Sequence[Group]) -> str:
    """What the optimizer is given: the groups, their parameters found in the model by `GROUPS`."""
    texts = []
    for index, group in enumerate(groups):
        own = "".join(f", {literal(k)}: {_setting(v)}" for k, v in group.settings.items())
        params = f"[model.get_parameter(name) for name in GROUPS[{index}]]"
        texts.append(f'{{"params": {params}{own}}}')
    return f"[{', '.join(texts)}]"


def _setting(value: Any) -> str:
    """A setting of a parameter group; torch takes a learning rate as a tensor, too."""
    return literal(value.item() if hasattr(value, "item") else value)


def names(groups: Sequence[Group]) -> str:
    """The statement that says which parameters are in each group."""
    text = fit(f"GROUPS = {literal([group.names for group in groups])}")
    return f"# The parameters in each of the run's groups, by their names in its model.\n{text}"
