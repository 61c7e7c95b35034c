"""Exponential moving average of everything a network remembers: weights and the statistics of its norms."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Average:
    """Keeps a second copy of a network's floating-point state that follows it slowly.

    At step t the copy moves by 1 - min(decay, (1 + t) / (10 + t)), so that early steps do not weigh on it.
    Cost: one extra copy of the weights; one pass over them a step.
    Source: Polyak & Juditsky 1992; the warm-up is the one of TensorFlow's ExponentialMovingAverage.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        if not 0 <= decay < 1:
            raise ValueError(f"`0 <= decay < 1` must hold, but got {decay=}.")
        self.decay = decay
        state = module.state_dict()
        self._names = [name for name, value in state.items() if value.is_floating_point()]
        self._live = [state[name] for name in self._names]
        self._kept = [value.detach().clone() for value in self._live]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the network as it is after optimiser step `step`, counted from 0."""
        torch._foreach_lerp_(self._kept, self._live, 1 - min(self.decay, (1 + step) / (10 + step)))

    def state(self) -> dict[str, Tensor]:
        """The averaged values by name (the tensors themselves)."""
        return dict(zip(self._names, self._kept, strict=True))

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over values that `state` gave earlier."""
        for name, kept in zip(self._names, self._kept, strict=True):
            kept.copy_(state[name])


def averaged_weights(module: nn.Module, average: Average | None) -> dict[str, Tensor]:
    """A copy of the network's state with the averaged values in place of its own."""
    state = {name: value.detach().clone() for name, value in module.state_dict().items()}
    if average is not None:
        state |= {name: value.detach().clone() for name, value in average.state().items()}
    return state
