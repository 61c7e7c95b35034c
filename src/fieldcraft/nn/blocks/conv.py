"""Convolution, norm, activation: the step that image networks are made of."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from fieldcraft.nn.blocks.activation import ActivationKind, make_activation
from fieldcraft.nn.blocks.axes import CONVOLUTIONS, MAX_POOLS, ZERO_PADS
from fieldcraft.nn.blocks.norm import NormKind, make_norm
from fieldcraft.nn.sizes import Size, per_axis

Padding = Literal["same", "none"]
Downsample = Literal["max-pool", "stride"]
ConvNormPlace = Literal["before-activation", "after-activation"]


def make_conv(
    inputs: int,
    outputs: int,
    kernel: Size,
    *,
    spatial: int = 2,
    padding: Padding = "same",
    stride: Size = 1,
    dilation: Size = 1,
    bias: bool = True,
    separable: bool = False,
) -> nn.Sequential:
    """A convolution over 1 to 3 axes; "same" keeps the size at stride 1 (and rounds up at others) for every kernel.

    `kernel`, `stride` and `dilation` are one number, or one an axis. `separable` looks around in each channel alone
    and then mixes channels at each position, with nothing in between: the dense convolution whose kernels are all
    multiples of one kernel a channel. Of kernel 1 it is the dense one.

    Shape: (n, inputs, *size) -> (n, outputs, *ceil(size / stride)) for "same", with an extent of
    dilation (kernel - 1) + 1 (n, outputs, *((size - extent) // stride + 1)) for "none". The convolution is the last
    module of the sequence.
    Receptive field: + dilation (kernel - 1) px times the input's stride.
    Cost: inputs * outputs * prod(kernel) multiply-adds per output position; inputs * (prod(kernel) + outputs) when
    separable.
    Source: of the separable form Chollet 2016, arXiv:1610.02357, section 4.7 (no activation in between).
    """
    kernels, strides = per_axis(kernel, spatial, "`kernel`"), per_axis(stride, spatial, "`stride`")
    holes = per_axis(dilation, spatial, "`dilation`")
    reach = [step * (size - 1) for size, step in zip(kernels, holes, strict=True)]
    uneven = padding == "same" and any(size % 2 for size in reach)
    pad = (_pad(reach),) if uneven else ()
    margin = tuple(size // 2 if padding == "same" and not uneven else 0 for size in reach)
    convolution = CONVOLUTIONS[spatial]
    if not separable or max(kernels) == 1:
        return nn.Sequential(
            *pad, convolution(inputs, outputs, kernels, stride=strides, padding=margin, dilation=holes, bias=bias)
        )
    around = convolution(
        inputs, inputs, kernels, stride=strides, padding=margin, dilation=holes, groups=inputs, bias=False
    )
    return nn.Sequential(*pad, around, convolution(inputs, outputs, 1, bias=bias))


def _pad(reach: Sequence[int]) -> nn.Module:
    """Zeros around, one more behind than in front where the reach is odd; PyTorch names the last axis first."""
    sides = tuple(side for size in reversed(reach) for side in (size // 2, size - size // 2))
    return ZERO_PADS[len(reach)](sides)


def halved_conv(
    inputs: int,
    outputs: int,
    kernel: Size,
    *,
    spatial: int = 2,
    padding: Padding,
    downsample: Downsample | None,
    stride: Size = 1,
    dilation: Size = 1,
    bias: bool,
    separable: bool = False,
) -> nn.Sequential:
    """A convolution with its own `stride` (None), followed by max-pooling over 2 an axis, or with strides of 2."""
    conv = make_conv(
        inputs,
        outputs,
        kernel,
        spatial=spatial,
        padding=padding,
        stride=2 if downsample == "stride" else stride,
        dilation=dilation,
        bias=bias,
        separable=separable,
    )
    return nn.Sequential(*conv, MAX_POOLS[spatial](2)) if downsample == "max-pool" else conv


class ConvNormActivation(nn.Module):
    """Convolution, then norm and activation in the chosen order; may halve the map on the way, or take strides.

    Shape: (n, inputs, *size) -> (n, outputs, *size'), where size' = size with padding "same" and no `downsample`,
    size - dilation (kernel - 1) with padding "none"; halved (rounded down for "max-pool", up for "stride") with
    `downsample`. `kernel`, `stride` and `dilation` are one number, or one for each of the `spatial` axes; `stride` is
    that of the convolution where `downsample` does not say 2.
    Receptive field: + dilation (kernel - 1) px times the input's stride, + 1 more with "max-pool".
    Cost: that of `make_conv` per pixel of the convolution's output. No bias before a norm that
    would take it out again; with the norm after the activation the bias stays.
    Source: Ioffe and Szegedy 2015, arXiv:1502.03167 (norm before activation).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        spatial: int = 2,
        kernel: Size = 3,
        padding: Padding = "same",
        downsample: Downsample | None = None,
        stride: Size = 1,
        dilation: Size = 1,
        norm: NormKind = "batch",
        norm_place: ConvNormPlace = "before-activation",
        activation: ActivationKind = "relu",
        separable: bool = False,
    ) -> None:
        super().__init__()
        followed = norm != "none" and norm_place == "before-activation"
        self.conv = halved_conv(
            inputs,
            outputs,
            kernel,
            spatial=spatial,
            padding=padding,
            downsample=downsample,
            stride=stride,
            dilation=dilation,
            bias=not followed,
            separable=separable,
        )
        self.norm_first = norm_place == "before-activation"
        self.norm = make_norm(norm, outputs, spatial)
        self.activation = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (n, inputs, *size)."""
        x = self.conv(x)
        if self.norm_first:
            return self.activation(self.norm(x))  # type: ignore[no-any-return]
        return self.norm(self.activation(x))  # type: ignore[no-any-return]
