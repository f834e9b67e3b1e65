"""The weights of models as named metrics."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from lrlab.stacking import Stack

SMALL = 64  # parameters; a larger model is reported by the norm of each tensor


def weights(model: nn.Module) -> dict[str, float]:
    """Every weight by name; for a model of more than `SMALL` weights, a norm per tensor.

    >>> list(weights(nn.Linear(2, 1)))
    ['weights/weight.0', 'weights/weight.1', 'weights/bias']
    >>> list(weights(nn.Linear(100, 1)))
    ['norm/weight', 'norm/bias']
    """
    names, values = stacked_weights({name: t[None] for name, t in model.named_parameters()})
    return dict(zip(names, values[0].tolist(), strict=True))


def stacked_weights(stack: Stack) -> tuple[list[str], Tensor]:
    """The names of `weights`, and the values of every model, shape `(models, values)`."""
    flat = {name: tensor.detach().flatten(start_dim=1) for name, tensor in stack.items()}
    if sum(tensor.shape[1] for tensor in flat.values()) > SMALL:
        norms = [tensor.norm(dim=1) for tensor in flat.values()]
        return [f"norm/{name}" for name in flat], torch.stack(norms, dim=1)
    return list(_names(flat)), torch.cat(list(flat.values()), dim=1)


def _names(flat: Mapping[str, Tensor]) -> Iterator[str]:
    for name, tensor in flat.items():
        size = tensor.shape[1]
        # One prefix: MLflow's UI puts their charts into one section.
        each = [name] if size == 1 else [f"{name}.{i}" for i in range(size)]
        yield from (f"weights/{one}" for one in each)
