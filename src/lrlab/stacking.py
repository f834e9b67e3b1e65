"""Many models as one: their parameters stacked, their losses computed by one tensor program."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

Batch = tuple[Tensor, Tensor]  # inputs and targets
Stack = Mapping[str, Tensor]  # by parameter name; shape (members, *shape of the parameter)


class _Call(nn.Module):
    """A function of a model as a module, which is what `functional_call` calls."""

    def __init__(self, function: Callable[..., Any], model: nn.Module) -> None:
        super().__init__()
        self.function, self.model = function, model

    def forward(self, *arguments: Any) -> Any:
        return self.function(self.model, *arguments)


def over_members(
    function: Callable[..., Tensor],
    model: nn.Module,
    stack: Stack,
    *arguments: Any,
    shared: bool = True,
) -> Tensor:
    """A function of a model, for every member of a stack at once: shape `(members, ...)`.

    Args:
        function: takes a model and the arguments; made of what `torch.func.vmap` understands.
        model: gives the structure; its own parameters are not used.
        stack: the members' parameters.
        arguments: tensors, or tuples of them.
        shared: the same arguments for all; otherwise their first dimension counts the members.

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
    found: Tensor = vmap(one, in_dims=inside)(dict(stack), *arguments)
    return found


def stacked(models: Iterable[nn.Module]) -> dict[str, Tensor]:
    """The parameters of models of one structure, stacked; they take a gradient where those do."""
    named = [dict(model.named_parameters()) for model in models]
    return {
        name: torch.stack([every[name].detach() for every in named]).requires_grad_(
            parameter.requires_grad
        )
        for name, parameter in named[0].items()
    }


def batches(streams: Sequence[Iterable[Batch]], member_of: Tensor) -> Iterator[tuple[Batch, bool]]:
    """The members' batches, and whether all members share one.

    Args:
        streams: the batches of one epoch in every order that is drawn.
        member_of: which of the streams each member follows; shape `(members,)`.
    """
    for parts in zip(*streams, strict=True):
        if all(a is b for part in parts for a, b in zip(part, parts[0], strict=True)):
            yield parts[0], True
        else:
            inputs, targets = zip(*parts, strict=True)
            yield (torch.stack(inputs)[member_of], torch.stack(targets)[member_of]), False
