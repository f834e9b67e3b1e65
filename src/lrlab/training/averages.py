"""Averages of the weights over a training: EMA and SWA."""

from typing import Any

from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lrlab.training.options import TrainingOptions


class Average:
    """The average of a model's weights, and of its buffers (such as those of batch norm).

    Args:
        model: in training.
        options: that name an `average`.

    Source: Izmailov et al. 2018, https://arxiv.org/abs/1803.05407 (SWA)
    """

    def __init__(self, model: nn.Module, options: TrainingOptions) -> None:
        self._model, self._options = model, options
        self._by_step = options.average == "ema"
        ema: Any = get_ema_multi_avg_fn
        mean = ema(options.ema_decay) if self._by_step else None
        self._average = AveragedModel(model, multi_avg_fn=mean, use_buffers=True)

    @property
    def model(self) -> nn.Module:
        """The averaged model; the model itself before there is an average."""
        begun = int(self._average.n_averaged) > 0
        return self._average.module if begun else self._model

    def after_step(self) -> None:
        """Take a step's weights into the average."""
        if self._by_step:
            self._average.update_parameters(self._model)

    def after_epoch(self, number: int) -> None:
        """Take an epoch's weights into the average."""
        if not self._by_step and number > self._options.swa_start:
            self._average.update_parameters(self._model)

    def state_dict(self) -> dict[str, Any]:
        """The average so far."""
        return self._average.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        self._average.load_state_dict(state)
