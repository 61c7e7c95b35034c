"""Logits of the whole input from a net that gives only its middle."""

from collections.abc import Sequence
from typing import Literal, Protocol

from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.nn.blocks.axes import cut

PadMode = Literal["constant", "reflect", "replicate"]


class Shrinking(Protocol):
    """A net that loses `margin` positions on each side, and gives multiples of `multiple`."""

    margin: tuple[int, ...]
    multiple: tuple[int, ...]

    def __call__(self, x: Tensor, /) -> Tensor:
        """(n, channels, *size) -> (n, classes, *(size - 2 margin))."""
        ...


class SameSize(nn.Module):
    """Pad what such a net loses, ask it, and cut what was padded to reach a multiple.

    "constant" pads zeros, which is right for normalised images with empty surroundings; "reflect" continues textures
    and needs an input larger than the margin.

    Shape: (n, channels, *size) -> (n, classes, *size).
    Cost: that of the net on an input larger by 2 margin an axis: of small images, most of it is padding.
    """

    def __init__(self, net: Shrinking, mode: PadMode = "constant") -> None:
        super().__init__()
        self.net, self.mode = net, mode
        self.margin, self.multiple = net.margin, net.multiple

    def forward(self, x: Tensor) -> Tensor:
        """Logits of every position."""
        sizes: Sequence[int] = x.shape[2:]
        sides = [
            (margin, margin + (-size) % multiple)
            for size, margin, multiple in zip(sizes, self.margin, self.multiple, strict=True)
        ]
        padded = F.pad(x, [side for pair in reversed(sides) for side in pair], mode=self.mode)
        return cut(self.net(padded), sizes)
