"""Sizes that are one number for all spatial axes, or one for each; PyTorch's modules by the number of axes."""

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn
from torch.nn import functional as F

Size = int | Sequence[int]
"""One whole number for all spatial axes, or one for each in their order."""

Makers = Mapping[int, Callable[..., nn.Module]]

CONVOLUTIONS: Makers = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: Makers = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
MAX_POOLS: Makers = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
AVERAGE_POOLS: Makers = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
ZERO_PADS: Makers = {1: nn.ZeroPad1d, 2: nn.ZeroPad2d, 3: nn.ZeroPad3d}
LINEAR_MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


def per_axis(size: Size, spatial: int, name: str = "a size", *, least: int = 1) -> tuple[int, ...]:
    """The size along each of `spatial` axes.

    Raises: ValueError, with `name`, unless there are 1 to 3 axes, as many sizes, and none is below `least`.
    """
    if not 1 <= spatial <= 3:
        raise ValueError(f"`spatial` must be 1, 2 or 3 axes, but got {spatial}.")
    sizes = (size,) * spatial if isinstance(size, int) else tuple(size)
    if len(sizes) != spatial or min(sizes) < least:
        raise ValueError(
            f"{name} must be a whole number from {least}, or {spatial} of them (one an axis), but got {size}."
        )
    return sizes


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
