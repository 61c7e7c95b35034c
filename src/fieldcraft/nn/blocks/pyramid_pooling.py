"""Pyramid pooling: what the map holds in its whole, its halves, its thirds, told to every position."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.nn.blocks.activation import ActivationKind, make_activation
from fieldcraft.nn.blocks.axes import ADAPTIVE_AVERAGES, CONVOLUTIONS, LINEAR_MODES
from fieldcraft.nn.blocks.conv import ConvNormActivation
from fieldcraft.nn.blocks.norm import NormKind, make_norm


class PyramidPooling(nn.Module):
    """Means over grids of `bins` cells an axis, each mixed and resized to the map, beside the map, put together.

    A grid of b cells has cells from floor(i size / b) to ceil((i + 1) size / b); its means go through a 1x1
    convolution to inputs / len(bins) channels, norm and activation, and are resized linearly. One cell for the whole
    map has no norm (see `MapMean`).

    Shape: (n, inputs, *size) -> (n, outputs, *size). Receptive field: the whole input.
    Cost: the 3-tap convolution behind it, about 2 inputs * outputs * 3^spatial multiply-adds per position.
    Hurts: patches that are small parts of the image (their cells are not the image's), and maps smaller than the bins.
    Raises: ValueError when there are no bins, one is below 1, or there are more of them than channels.
    Source: Zhao et al. 2017, arXiv:1612.01105, section 3.2 and figure 3.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        bins: Sequence[int] = (1, 2, 3, 6),
        *,
        spatial: int = 2,
        norm: NormKind = "batch",
        activation: ActivationKind = "relu",
        separable: bool = False,
    ) -> None:
        super().__init__()
        if not bins or min(bins) < 1 or len(bins) > inputs:
            raise ValueError(
                f"`bins` must be whole numbers from 1, and no more than the {inputs} channels, but got {tuple(bins)}."
            )
        part = inputs // len(bins)
        self.mode = LINEAR_MODES[spatial]
        self.levels = nn.ModuleList(
            nn.Sequential(
                ADAPTIVE_AVERAGES[spatial](count),
                CONVOLUTIONS[spatial](inputs, part, 1, bias=count == 1 or norm == "none"),
                make_norm(norm if count > 1 else "none", part, spatial),
                make_activation(activation),
            )
            for count in bins
        )
        self.project = ConvNormActivation(
            inputs + part * len(bins), outputs, spatial=spatial, norm=norm, activation=activation, separable=separable
        )

    def forward(self, x: Tensor) -> Tensor:
        """Pool (n, inputs, *size) and put it beside itself."""
        pooled = [
            F.interpolate(level(x), size=x.shape[2:], mode=self.mode, align_corners=False) for level in self.levels
        ]
        return self.project(torch.cat([x, *pooled], dim=1))  # type: ignore[no-any-return]
