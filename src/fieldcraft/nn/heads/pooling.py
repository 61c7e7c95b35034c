"""From a map of features to one vector a sample."""

from typing import Literal, assert_never

from torch import Tensor, nn

HeadKind = Literal["global-average", "global-max", "flatten"]


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


def make_pooling(kind: HeadKind) -> nn.Module:
    """The module that turns (n, c, h, w) into (n, c), or (n, c h w) for "flatten"."""
    match kind:
        case "global-average":
            return GlobalAverage()
        case "global-max":
            return GlobalMax()
        case "flatten":
            return nn.Flatten()
        case _:
            assert_never(kind)


def pooled_width(kind: HeadKind, channels: int, height: int, width: int) -> int:
    """Numbers a sample that `make_pooling(kind)` gives for a map of this size."""
    return channels * height * width if kind == "flatten" else channels
