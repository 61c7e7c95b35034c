"""PyTorch's modules by the number of spatial axes; cutting and enlarging maps so that positions keep their place."""

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.nn.blocks.map_conv import Conv2d
from fieldcraft.nn.blocks.volume_conv import Conv3d

Makers = Mapping[int, Callable[..., nn.Module]]

CONVOLUTIONS: Makers = {1: nn.Conv1d, 2: Conv2d, 3: Conv3d}
TRANSPOSED: Makers = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
MAX_POOLS: Makers = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVERAGE_POOLS: Makers = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
ADAPTIVE_AVERAGES: Makers = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}
ZERO_PADS: Makers = {1: nn.ZeroPad1d, 2: nn.ZeroPad2d, 3: nn.ZeroPad3d}
LINEAR_MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


def cut(x: Tensor, sizes: Sequence[int]) -> Tensor:
    """The first `sizes` positions along the spatial axes of (n, channels, *spatial)."""
    for axis, size in enumerate(sizes, start=2):
        if x.shape[axis] != size:
            x = x.narrow(axis, 0, size)
    return x


def enlarge(x: Tensor, factors: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """Resize (n, channels, *spatial) linearly by whole `factors`, then keep the first `sizes` positions.

    Unlike resizing to `sizes` at once, every position stays where it was when the sizes are no multiples.
    """
    scale = [float(factor) for factor in factors]
    grown = F.interpolate(x, scale_factor=scale, mode=LINEAR_MODES[len(scale)], align_corners=False)
    return cut(grown, sizes)


def enlarge_from(x: Tensor, strides: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """Resize (n, channels, *ceil(size / stride)) linearly so that position i comes to lie at i * stride.

    That is where strided convolutions of odd kernels look from; `enlarge` is for blocks of positions. What lies behind
    the last one is repeated.
    """
    between = [(length - 1) * step + 1 for length, step in zip(x.shape[2:], strides, strict=True)]
    grown = F.interpolate(x, size=between, mode=LINEAR_MODES[len(between)], align_corners=True)
    behind = [size - length for size, length in zip(sizes, between, strict=True)]
    if any(behind):
        grown = F.pad(grown, [side for size in reversed(behind) for side in (0, size)], mode="replicate")
    return grown
