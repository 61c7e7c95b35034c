"""What the TF-slim nets are made of: convolutions and pools with TensorFlow's paddings written out.

TensorFlow's SAME pads a map of `n` pixels by `max(k - s, 0)` where the stride `s` divides `n`, and else by
`max(k - n % s, 0)`; the odd pixel goes to the right. With stride 2 it so depends on the parity of the map: `even` maps
(a 224 px image: 112, 56, 28, 14, 7) get (0, 1) for a 3x3, `odd` maps (321 px: 161, 81, 41, 21) get (1, 1).

Source: tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2; tensorflow/models, research/slim/nets.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

Parity = Literal["even", "odd"]
Size = int | tuple[int, int]


def both(size: Size) -> tuple[int, int]:
    return size if isinstance(size, tuple) else (size, size)


def same(kernel: int, stride: int, parity: Parity) -> tuple[int, int]:
    """Pixels that SAME adds before and behind a map, for strides 1 and 2."""
    if stride not in (1, 2):
        raise ValueError(f"the stride must be 1 or 2, but got {stride=}.")
    total = max(kernel - (stride if parity == "even" else 1), 0)
    return total // 2, total - total // 2


class Trunk(nn.Sequential):
    """Stages by name; `end_points` maps the published names to paths of submodules."""

    def __init__(self, stages: Iterable[tuple[str, nn.Module]], end_points: dict[str, str] | None = None) -> None:
        super().__init__(OrderedDict(stages))
        self.end_points = end_points or {name: name for name, _ in self.named_children()}


class Branches(nn.Module):
    """Several ways from one map, concatenated along the channels."""

    def __init__(self, *ways: nn.Module) -> None:
        super().__init__()
        for index, way in enumerate(ways):
            self.add_module(f"branch_{index}", way)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([way(x) for way in self.children()], dim=1)


@dataclass(frozen=True, slots=True)
class Layers:
    """Makes layers for one `width` multiplier of the channels and one parity of the maps."""

    width: float = 1.0
    parity: Parity = "even"
    norm: bool = True
    """Batch norm after a convolution, which then has no bias."""
    relu: type[nn.Module] = nn.ReLU

    def depth(self, channels: int) -> int:
        return max(1, int(channels * self.width))

    def pads(self, kernel: Size, stride: int, *, valid: bool) -> tuple[int, int, int, int]:
        """Left, right, top and bottom."""
        high, wide = both(kernel)
        return (0, 0, 0, 0) if valid else (*same(wide, stride, self.parity), *same(high, stride, self.parity))

    def conv(
        self, before: int, after: int, kernel: Size, stride: int = 1, *, valid: bool = False, groups: int = 1
    ) -> nn.Sequential:
        """Pad, convolve, norm, ReLU."""
        pads = self.pads(kernel, stride, valid=valid)
        return nn.Sequential(
            *([nn.ZeroPad2d(pads)] if any(pads) else []),
            nn.Conv2d(before, after, both(kernel), stride, bias=not self.norm, groups=groups),
            *([nn.BatchNorm2d(after)] if self.norm else []),
            self.relu(),
        )

    def max_pool(self, kernel: int, stride: int, *, valid: bool = False) -> nn.Sequential:
        """Zeros are as good as minus infinity behind a ReLU."""
        pads = self.pads(kernel, stride, valid=valid)
        return nn.Sequential(*([nn.ZeroPad2d(pads)] if any(pads) else []), nn.MaxPool2d(kernel, stride))
