"""Atrous spatial pyramid pooling: one map looked at with several dilations side by side, and as a whole."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from fieldcraft.nn.blocks.activation import ActivationKind, make_activation
from fieldcraft.nn.blocks.axes import CONVOLUTIONS
from fieldcraft.nn.blocks.conv import ConvNormActivation
from fieldcraft.nn.blocks.norm import NormKind
from fieldcraft.nn.sizes import Size, per_axis


class MapMean(nn.Module):
    """The mean over the map, mixed by a 1x1 convolution, at every position.

    There is no norm: over the single position that is left, a norm over the map would leave nothing, and one over the
    batch needs several samples.

    Shape: (n, inputs, *size) -> (n, outputs, *size). Receptive field: the whole input; of two patches that overlap,
    the means differ.
    Source: Liu et al. 2015, arXiv:1506.04579 (ParseNet); Chen et al. 2017, arXiv:1706.05587, section 3.3.
    """

    def __init__(self, inputs: int, outputs: int, *, spatial: int = 2, activation: ActivationKind = "relu") -> None:
        super().__init__()
        self.mix = CONVOLUTIONS[spatial](inputs, outputs, 1)
        self.activation = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """Spread the mean of (n, inputs, *size)."""
        mean = x.mean(dim=tuple(range(2, x.dim())), keepdim=True)
        return self.activation(self.mix(mean)).expand(-1, -1, *x.shape[2:])  # type: ignore[no-any-return]


class Aspp(nn.Module):
    """A 1x1 convolution, one 3-tap convolution for each rate, and the mean of the map, put together and mixed.

    `rates`: one entry a branch, a number or one an axis; `fieldcraft.nn.rates.aspp_rates` chooses them for a map.
    Rates that share a factor look at one lattice; taps that fall off the map read zeros, and a branch whose outer taps
    all do is a second 1x1 convolution. `image_pooling` adds the mean of the map (see `MapMean`): leave it out where
    patches are small parts of the image.

    Shape: (n, inputs, *size) -> (n, outputs, *size). Receptive field: + 2 max(rates) px times the input's stride, the
    whole input with `image_pooling`.
    Cost: inputs * outputs * (1 + 3^spatial len(rates)) + outputs^2 (2 + len(rates)) multiply-adds per position.
    Source: Chen et al. 2017, arXiv:1706.05587, section 3.3 and figure 5.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        rates: Sequence[Size],
        *,
        spatial: int = 2,
        image_pooling: bool = True,
        norm: NormKind = "batch",
        activation: ActivationKind = "relu",
        separable: bool = False,
    ) -> None:
        super().__init__()
        step = partial(ConvNormActivation, spatial=spatial, norm=norm, activation=activation, separable=separable)
        dilations = [per_axis(rate, spatial, "a rate") for rate in rates]
        self.branches = nn.ModuleList(
            [
                step(inputs, outputs, kernel=1),
                *(step(inputs, outputs, dilation=dilation) for dilation in dilations),
                *([MapMean(inputs, outputs, spatial=spatial, activation=activation)] if image_pooling else []),
            ]
        )
        self.project = step(len(self.branches) * outputs, outputs, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        """Look at (n, inputs, *size)."""
        return self.project(torch.cat([branch(x) for branch in self.branches], dim=1))  # type: ignore[no-any-return]
