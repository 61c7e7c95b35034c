"""From a map of features to one vector a sample."""

from collections.abc import Sequence
from typing import Literal, assert_never

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HeadKind = Literal["global-average", "global-max", "flatten", "pyramid"]


class GlobalAverage(nn.Module):
    """Mean over all positions. Shape: (n, c, h, w) -> (n, c). Source: Lin et al. 2013, arXiv:1312.4400, section 3.2."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool (n, c, h, w)."""
        return x.mean(dim=(2, 3))


class GlobalMax(nn.Module):
    """Largest value over all positions. Shape: (n, c, h, w) -> (n, c)."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool (n, c, h, w)."""
        return x.amax(dim=(2, 3))


class SpatialPyramid(nn.Module):
    """Largest value in each bin of ever finer grids over the whole map: as many numbers for maps of any size.

    Level l cuts the map into l x l bins, from floor(i size / l) to ceil((i + 1) size / l); where the map has fewer
    positions than bins, bins share positions. Level 1 alone is the global maximum.

    Shape: (n, c, h, w) -> (n, c * sum of l^2), channels outermost within a level.
    Raises: ValueError when there are no levels, or one is below 1.
    Source: He et al. 2014, arXiv:1406.4729, section 2.2.
    """

    def __init__(self, levels: Sequence[int] = (1, 2, 4)) -> None:
        super().__init__()
        if not levels or min(levels) < 1:
            raise ValueError(f"`levels` must be one or more whole numbers from 1, but got {tuple(levels)}.")
        self.levels = tuple(levels)

    def forward(self, x: Tensor) -> Tensor:
        """Pool (n, c, h, w)."""
        return torch.cat([F.adaptive_max_pool2d(x, level).flatten(1) for level in self.levels], dim=1)


def make_pooling(kind: HeadKind, levels: Sequence[int] = (1, 2, 4)) -> nn.Module:
    """The module that turns (n, c, h, w) into (n, c), or as many numbers as `pooled_width` says."""
    match kind:
        case "global-average":
            return GlobalAverage()
        case "global-max":
            return GlobalMax()
        case "flatten":
            return nn.Flatten()
        case "pyramid":
            return SpatialPyramid(levels)
        case _:
            assert_never(kind)


def pooled_width(kind: HeadKind, channels: int, height: int, width: int, levels: Sequence[int] = (1, 2, 4)) -> int:
    """Numbers a sample that `make_pooling(kind, levels)` gives for a map of this size."""
    if kind == "pyramid":
        return channels * sum(level**2 for level in levels)
    return channels * height * width if kind == "flatten" else channels
