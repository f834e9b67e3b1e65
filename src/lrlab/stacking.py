"""Stacks the parameters of many models, and maps functions of a model over them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.utils._pytree import tree_map

Minibatch = tuple[Tensor, Tensor]  # inputs and targets
Stack = Mapping[str, Tensor]  # by parameter name; shape (models, *shape of the parameter)


class _Call(nn.Module):
    """Wraps a function of a model as a module: `functional_call` takes modules only."""

    def __init__(self, function: Callable[..., Any], model: nn.Module) -> None:
        super().__init__()
        self.function, self.model = function, model

    def forward(self, *arguments: Any) -> Any:
        return self.function(self.model, *arguments)


def over_members(
    function: Callable[..., Any],
    model: nn.Module,
    stack: Stack,
    *arguments: Any,
    shared: bool = True,
) -> Any:
    """Map a function of a model over all models of a stack: shape `(models, ...)`.

    Args:
        function: takes a model and the arguments and returns a tensor, or tensors by name; must
            support `torch.func.vmap`.
        model: defines the structure; its own parameters are not used.
        stack: the parameters of all models.
        arguments: tensors, or tuples of them.
        shared: whether all models get the same arguments; otherwise their first dimension, of
            size `n`, says which: model `i` gets index `i % n`.

    Source: https://docs.pytorch.org/tutorials/intermediate/ensembling.html

    >>> layer = nn.Linear(2, 1, bias=False)
    >>> weights = {"weight": torch.tensor([[[1.0, 0.0]], [[0.0, 2.0]]])}
    >>> over_members(lambda model, x: model(x).sum(), layer, weights, torch.ones(3, 2))
    tensor([3., 6.])
    """
    call = _Call(function, model)

    def one(parameters: Stack, *given: Any) -> Any:
        return functional_call(call, {f"model.{k}": v for k, v in parameters.items()}, given)

    inside = (0, *(None if shared else 0 for _ in arguments))
    given = arguments if shared else tree_map(partial(_repeated, len(_first(stack))), arguments)
    return vmap(one, in_dims=inside)(dict(stack), *given)


def _repeated(models: int, argument: Tensor) -> Tensor:
    repeats = models // len(argument)
    return argument if repeats == 1 else argument.repeat(repeats, *(1 for _ in argument.shape[1:]))


def _first(stack: Stack) -> Tensor:
    return next(iter(stack.values()))


def stacked(models: Iterable[nn.Module]) -> dict[str, Tensor]:
    """Stack the parameters of models of one structure; `requires_grad` is kept."""
    named = [dict(model.named_parameters()) for model in models]
    return {
        name: torch.stack([every[name].detach() for every in named]).requires_grad_(
            parameter.requires_grad
        )
        for name, parameter in named[0].items()
    }


def minibatches(streams: Sequence[Iterable[Minibatch]]) -> Iterator[tuple[Minibatch, bool]]:
    """Yield minibatches, and whether all seeds share one; if not, the seed is the first dimension.

    Args:
        streams: the minibatches of one epoch, one stream per seed.
    """
    for parts in zip(*streams, strict=True):
        if all(a is b for part in parts for a, b in zip(part, parts[0], strict=True)):
            yield parts[0], True
        else:
            inputs, targets = zip(*parts, strict=True)
            yield (torch.stack(inputs), torch.stack(targets)), False
