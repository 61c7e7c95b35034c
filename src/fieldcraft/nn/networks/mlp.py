"""Multilayer perceptron."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from fieldcraft.nn.blocks.activation import ActivationKind
from fieldcraft.nn.blocks.mlp import MlpStep
from fieldcraft.nn.blocks.norm import NormKind


class MlpNetwork(nn.Module):
    """Flatten, one step (linear, norm, activation, dropout) per width, then a linear map.

    Shape: (n, *shape) -> (n, outputs). With `residual`, steps that keep the width add their input.
    Cost: the sum of products of neighbouring widths, in multiply-adds a sample.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        outputs: int,
        *,
        widths: Sequence[int] = (256, 256),
        norm: NormKind = "batch",
        activation: ActivationKind = "relu",
        dropout: float = 0.0,
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        self.steps = nn.Sequential(
            *(
                MlpStep(
                    before,
                    after,
                    norm=norm,
                    activation=activation,
                    dropout=dropout,
                    residual=residual and before == after,
                )
                for before, after in pairwise((prod(shape), *widths))
            )
        )
        self.classifier = nn.Linear(widths[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, *shape)."""
        return self.classifier(self.steps(self.flatten(x)))  # type: ignore[no-any-return]
