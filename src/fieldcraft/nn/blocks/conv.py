"""Convolution, norm, activation: the step that image networks are made of."""

from typing import Literal

from torch import Tensor, nn

from fieldcraft.nn.blocks.activation import ActivationKind, make_activation
from fieldcraft.nn.blocks.norm import NormKind, make_norm

Padding = Literal["same", "none"]
Downsample = Literal["max-pool", "stride"]
ConvNormPlace = Literal["before-activation", "after-activation"]


def make_conv(
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    padding: Padding = "same",
    stride: int = 1,
    bias: bool = True,
    separable: bool = False,
) -> nn.Sequential:
    """A square convolution; "same" keeps the size at stride 1 (and rounds up at others) for odd and even kernels.

    `separable` looks around in each channel alone and then mixes channels at each position, with nothing in between:
    the dense convolution whose kernels are all multiples of one kernel a channel. Of kernel 1 it is the dense one.

    Shape: (n, inputs, h, w) -> (n, outputs, ceil(h / stride), ceil(w / stride)) for "same",
    (n, outputs, (h - kernel) // stride + 1, ...) for "none". The convolution is the last module of the sequence.
    Receptive field: + (kernel - 1) px times the input's stride.
    Cost: inputs * outputs * kernel^2 multiply-adds per output pixel; inputs * (kernel^2 + outputs) when separable.
    Source: of the separable form Chollet 2016, arXiv:1610.02357, section 4.7 (no activation in between).
    """
    uneven = kernel % 2 == 0 and padding == "same"
    before, after = (kernel - 1) // 2, kernel // 2
    pad = (nn.ZeroPad2d((before, after, before, after)),) if uneven else ()
    margin = before if padding == "same" and not uneven else 0
    if not separable or kernel == 1:
        return nn.Sequential(*pad, nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=margin, bias=bias))
    around = nn.Conv2d(inputs, inputs, kernel, stride=stride, padding=margin, groups=inputs, bias=False)
    return nn.Sequential(*pad, around, nn.Conv2d(inputs, outputs, 1, bias=bias))


def halved_conv(
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    padding: Padding,
    downsample: Downsample | None,
    bias: bool,
    separable: bool = False,
) -> nn.Sequential:
    """A convolution that keeps the map (None), is followed by max-pooling over 2 x 2, or takes strides of 2."""
    stride = 2 if downsample == "stride" else 1
    conv = make_conv(inputs, outputs, kernel, padding=padding, stride=stride, bias=bias, separable=separable)
    return nn.Sequential(*conv, nn.MaxPool2d(2)) if downsample == "max-pool" else conv


class ConvNormActivation(nn.Module):
    """Convolution, then norm and activation in the chosen order; may halve the map on the way.

    Shape: (n, inputs, h, w) -> (n, outputs, h', w'), where h' = h with padding "same" and no `downsample`,
    h - kernel + 1 with padding "none"; halved (rounded down for "max-pool", up for "stride") with `downsample`.
    Receptive field: + (kernel - 1) px times the input's stride, + 1 more with "max-pool".
    Cost: that of `make_conv` per pixel of the convolution's output. No bias before a norm that
    would take it out again; with the norm after the activation the bias stays.
    Source: Ioffe and Szegedy 2015, arXiv:1502.03167 (norm before activation).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int = 3,
        padding: Padding = "same",
        downsample: Downsample | None = None,
        norm: NormKind = "batch",
        norm_place: ConvNormPlace = "before-activation",
        activation: ActivationKind = "relu",
        separable: bool = False,
    ) -> None:
        super().__init__()
        followed = norm != "none" and norm_place == "before-activation"
        self.conv = halved_conv(
            inputs, outputs, kernel, padding=padding, downsample=downsample, bias=not followed, separable=separable
        )
        self.norm_first = norm_place == "before-activation"
        self.norm = make_norm(norm, outputs, 2)
        self.activation = make_activation(activation)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (n, inputs, h, w)."""
        x = self.conv(x)
        if self.norm_first:
            return self.activation(self.norm(x))  # type: ignore[no-any-return]
        return self.norm(self.activation(x))  # type: ignore[no-any-return]
