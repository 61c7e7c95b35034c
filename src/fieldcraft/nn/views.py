"""A network asked about several views of each image, its outputs averaged.

Helps: where the label survives the views, their average errs less than each alone.
Hurts: every view costs a pass; a view that changes the label spoils the answer.
Source: Krizhevsky et al. 2012, NeurIPS 25, section 4.1 (crops and mirrored crops, averaged).
"""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

View = Literal["mirror", "upside-down", "quarter-turns", "shift"]
Change = Callable[[Tensor], Tensor]


def _same(images: Tensor) -> Tensor:
    return images


def _mirrored(images: Tensor) -> Tensor:
    return images.flip(3)


def _upside_down(images: Tensor) -> Tensor:
    return images.flip(2)


def _turned(quarters: int) -> Change:
    return lambda images: torch.rot90(images, quarters, (2, 3))


def _moved(px: int) -> Change:
    def moved(images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        padded = F.pad(images, (1, 1, 1, 1), mode="reflect")
        return padded[:, :, 1 + px : 1 + px + height, 1 + px : 1 + px + width]

    return moved


VIEWS: dict[View, tuple[Change, ...]] = {
    "mirror": (_same, _mirrored),
    "upside-down": (_same, _upside_down),
    "quarter-turns": (_same, _turned(1), _turned(2), _turned(3)),
    "shift": (_same, _moved(-1), _moved(1)),
}
"""What each kind of view makes of images (n, c, h, w); the first leaves them as they are."""


def passes(views: Sequence[View]) -> int:
    """Times that a network is asked about each image."""
    count = 1
    for view in dict.fromkeys(views):
        count *= len(VIEWS[view])
    return count


class Views(nn.Module):
    """The mean of a network's outputs (logits, or numbers) over all combinations of views.

    Shape: that of the network, (n, c, h, w) -> (n, k). Without views it is the network itself. Images must be square
    for quarter turns and have 2 px a side for shifts, and the network must take any batch.
    """

    def __init__(self, net: nn.Module, views: Sequence[View]) -> None:
        super().__init__()
        self.net = net
        self.chains = tuple(product(*(VIEWS[view] for view in dict.fromkeys(views))))

    def forward(self, images: Tensor) -> Tensor:
        """Ask about one view after the other."""
        total: Tensor | None = None
        for chain in self.chains:
            seen = images
            for change in chain:
                seen = change(seen)
            found: Tensor = self.net(seen).float()
            total = found if total is None else total + found
        assert total is not None
        return total / len(self.chains)
