"""Receptive fields of chains of layers, exact and without a network: arithmetic on intervals.

Along one axis, output `i` of a window layer looks at inputs `i * stride - padding + t * dilation` for the taps
`t = 0 ... kernel - 1`, so an interval of outputs has an interval of inputs, and chains compose. Strides are
fractions, because upsampling divides them.

Source: Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks", Distill,
doi:10.23915/distill.00021.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from fieldcraft.plan.schema import Cnn, ResNet


@dataclass(frozen=True)
class Window:
    """A convolution or a pooling, along one axis."""

    kernel: int
    stride: int = 1
    padding: int = 0
    """Pixels added before the first."""
    dilation: int = 1

    def __post_init__(self) -> None:
        if min(self.kernel, self.stride, self.dilation) < 1 or self.padding < 0:
            raise ValueError(f"`kernel`, `stride`, `dilation` >= 1 and `padding` >= 0 must hold, but got {self}.")


@dataclass(frozen=True)
class Upsample:
    """Each value repeated `factor` times (nearest neighbour), along one axis."""

    factor: int

    def __post_init__(self) -> None:
        if self.factor < 1:
            raise ValueError(f"`factor >= 1` must hold, but got {self.factor}.")


Layer = Window | Upsample


@dataclass(frozen=True)
class Field:
    """Where the outputs of a chain look, along one axis, in input pixels.

    Output `i` sees pixels `start + i * stride` to `start + i * stride + size - 1`, also outside of the input, where
    padding is. With upsampling in the chain the values may be fractions, and this is the narrowest such band.
    """

    size: Fraction = Fraction(1)
    stride: Fraction = Fraction(1)
    start: Fraction = Fraction(0)

    @property
    def padding(self) -> Fraction:
        """Pixels by which the first output looks beyond the edge (the "effective padding")."""
        return -self.start

    @property
    def size_px(self) -> int:
        """Whole pixels."""
        return ceil(self.size)

    def centre(self, i: int) -> Fraction:
        """The pixel in the middle of what output `i` sees; halves lie between two pixels."""
        return self.start + i * self.stride + (self.size - 1) / 2


def field_after(layers: Sequence[Layer]) -> Field:
    """The receptive field of the outputs of a chain."""
    field = Field()
    for layer in layers:
        field = _window(field, layer) if isinstance(layer, Window) else _upsample(field, layer.factor)
    return field


def interval(field: Field, i: int) -> tuple[int, int]:
    """First and last pixel that output `i` sees; they may lie outside of the input.

    Exact for chains without upsampling; with it, `interval_through` is.
    """
    low = field.start + i * field.stride
    return ceil(low), floor(low + field.size - 1)


def interval_through(layers: Sequence[Layer], i: int) -> tuple[int, int]:
    """First and last pixel that output `i` of a chain sees, traced back layer by layer: always exact."""
    low = high = i
    for layer in reversed(layers):
        if isinstance(layer, Window):
            low = low * layer.stride - layer.padding
            high = high * layer.stride - layer.padding + (layer.kernel - 1) * layer.dilation
        else:
            low, high = low // layer.factor, high // layer.factor
    return low, high


def map_size(layers: Sequence[Layer], size: int) -> int:
    """Outputs that a chain gives along an axis of `size` pixels, padded alike on both sides; 0 when it does not fit."""
    for layer in layers:
        if isinstance(layer, Window):
            reach = (layer.kernel - 1) * layer.dilation
            size = max(0, (size + 2 * layer.padding - reach - 1) // layer.stride + 1) if size else 0
        else:
            size *= layer.factor
    return size


def plan_layers(network: Cnn | ResNet) -> tuple[Window, ...]:
    """The windows on the longest path through a planned network, up to its head.

    From the second stage on, the first convolution is followed by a 2 x 2 max-pool, or has stride 2 itself.
    """
    padding = (network.kernel - 1) // 2 if network.padding == "same" else 0
    plain = Window(network.kernel, 1, padding)
    pooled = network.downsample == "max-pool"
    halving = (plain, Window(2, 2)) if pooled else (Window(network.kernel, 2, padding),)
    return tuple(
        window
        for stage, more in enumerate(_convolutions_after_the_first(network))
        for window in (*(halving if stage else (plain,)), *(plain,) * more)
    )


def _convolutions_after_the_first(network: Cnn | ResNet) -> tuple[int, ...]:
    """For each stage; a residual block has two."""
    if isinstance(network, Cnn):
        return (network.depth - 1,) * len(network.widths)
    return tuple(2 * blocks for blocks in network.depths)


def _window(field: Field, layer: Window) -> Field:
    reach = (layer.kernel - 1) * layer.dilation
    return Field(
        size=field.size + reach * field.stride,
        stride=field.stride * layer.stride,
        start=field.start - layer.padding * field.stride,
    )


def _upsample(field: Field, factor: int) -> Field:
    """Output `j` repeats input `floor(j / factor)`, which lies between `(j - factor + 1) / factor` and `j / factor`."""
    spread = field.stride * Fraction(factor - 1, factor)
    return Field(size=field.size + spread, stride=field.stride / factor, start=field.start - spread)
