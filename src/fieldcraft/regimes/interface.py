"""What every regime offers: one step that turns a network and a batch into losses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor, nn

from fieldcraft.data.loader import Batch


@dataclass(frozen=True, slots=True)
class Losses:
    """The loss to descend (a mean over samples), and its parts for the log."""

    total: Tensor
    parts: Mapping[str, Tensor] = field(default_factory=dict)


class Regime(Protocol):
    """A way of learning. Works in anyone's own loop: `regime.step(net, batch).total.backward()`."""

    def step(self, net: nn.Module, batch: Batch) -> Losses:
        """Losses of one batch; calls nothing but the network."""
        ...
