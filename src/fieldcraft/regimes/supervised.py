"""Supervised learning: the loss between what the network says and what the label says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from fieldcraft.data.loader import Batch
from fieldcraft.regimes.interface import Losses


@dataclass(frozen=True)
class Supervised:
    """`loss(outputs, targets)` gives the mean over the samples; outputs arrive in single precision."""

    loss: Callable[[Any, Tensor], Tensor]

    def step(self, net: nn.Module, batch: Batch) -> Losses:
        """Losses of one labelled batch; a network may answer at several levels."""
        said = net(batch.inputs)
        outputs = said.float() if isinstance(said, Tensor) else tuple(one.float() for one in said)
        return Losses(self.loss(outputs, batch.targets))
