"""Pooling on a map that is denser than it was: the taps lie further apart, and windows begin between the old ones."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class DenseWindow:
    """Along one axis: a window as it was, on a map that is `denser` times as dense, with what is kept of its stride."""

    kernel: int
    stride: int
    padding: int
    dilation: int
    ceil: bool
    denser: int
    kept: int

    @property
    def hole(self) -> int:
        """Values from one tap to the next."""
        return self.dilation * self.denser if self.kernel > 1 else 1

    @property
    def front(self) -> int:
        """Padding in front."""
        return self.padding * self.denser

    @property
    def tiles(self) -> bool:
        """Windows side by side, without padding."""
        return self.kernel == self.stride and self.padding == 0 and self.dilation == 1

    def behind(self, size: int) -> int:
        """Padding behind a map of this size."""
        return max(0, (self.units(size) - 1) * self.kept + (self.kernel - 1) * self.hole + 1 - size - self.front)

    def units(self, size: int) -> int:
        """Windows on a map of this size: all old ones and those between, none from where the next old one would be.

        Windows that tile, or run over the edge in ceil mode, begin at every place of the map if they may, so that the
        result is as large as that of a padded convolution beside them. Others lie within the padded map.
        """
        plain = (size + 2 * self.front - (self.kernel - 1) * self.hole - 1) // self.kept + 1
        if not (self.tiles or self.ceil):
            return plain
        old, apart = self._old_units(-(-size // self.denser)), self.stride * self.denser // self.kept
        return max(plain, (old - 1) * apart + 1, min(-(-size // self.kept), old * apart))

    def _old_units(self, size: int) -> int:
        room = size + 2 * self.padding - (self.kernel - 1) * self.dilation - 1
        if not self.ceil:
            return room // self.stride + 1
        units = -(-room // self.stride) + 1
        return units - ((units - 1) * self.stride >= size + self.padding)  # the last one must begin on the map

    def counted(self, size: int, device: torch.device, *, padding_too: bool) -> Tensor:
        """Of each window, the taps that the average is taken over."""
        margin = self.front if padding_too else 0
        starts = torch.arange(self.units(size), device=device) * self.kept - self.front
        taps = starts[:, None] + torch.arange(self.kernel, device=device) * self.hole
        return ((taps >= -margin) & (taps < size + margin)).sum(1)


class DilatedMax(nn.Module):
    """The largest value of a window with holes. Shape: (n, c, *map) -> (n, c, *map')."""

    def __init__(self, windows: tuple[DenseWindow, ...]) -> None:
        super().__init__()
        self.windows = windows

    def forward(self, x: Tensor) -> Tensor:
        """Pool."""
        pool = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[len(self.windows) - 1]
        kernel, stride, holes = zip(*((one.kernel, one.kept, one.hole) for one in self.windows), strict=True)
        found: Tensor = pool(padded(x, self.windows, float("-inf")), kernel, stride, 0, holes)
        return found


class DilatedAverage(nn.Module):
    """The average of a window with holes. Shape: (n, c, *map) -> (n, c, *map').

    Padding counts as zeros if `padding_too`; values behind the padding, where windows run over the edge, never do.
    `divisor` stands for the number of values if given.
    """

    def __init__(self, windows: tuple[DenseWindow, ...], *, padding_too: bool, divisor: int | None) -> None:
        super().__init__()
        self.windows, self.padding_too, self.divisor = windows, padding_too, divisor

    def forward(self, x: Tensor) -> Tensor:
        """Average."""
        channels, axes = x.shape[1], len(self.windows)
        weight = x.new_ones(channels, 1, *(one.kernel for one in self.windows))
        convolve = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
        stride, holes = zip(*((one.kept, one.hole) for one in self.windows), strict=True)
        sums = convolve(padded(x, self.windows, 0.0), weight, None, stride, 0, holes, channels)
        if self.divisor is not None:
            return sums / self.divisor
        for axis, one in enumerate(self.windows):
            counted = one.counted(x.shape[2 + axis], x.device, padding_too=self.padding_too)
            sums = sums / counted.to(x.dtype).reshape(-1, *(1,) * (axes - 1 - axis))
        return sums


def padded(x: Tensor, windows: tuple[DenseWindow, ...], value: float) -> Tensor:
    """The map with all that the windows reach beyond it."""
    sizes = x.shape[2:]
    sides = [(one.front, one.behind(size)) for one, size in zip(windows, sizes, strict=True)]
    return F.pad(x, [side for pair in reversed(sides) for side in pair], value=value)
