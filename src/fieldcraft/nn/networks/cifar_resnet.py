"""The residual networks for small images of He et al. 2016, section 4.2: ResNet-20, 32, 44, 56 and 110."""

import torch.nn.functional as F
from torch import Tensor, nn

from fieldcraft.nn.heads.pooling import GlobalAverage

WIDTHS = (16, 32, 64)


class PaddedShortcutBlock(nn.Module):
    """Two 3x3 convolutions with norms, added to a shortcut without weights; a rectifier after the sum.

    Where the width grows the shortcut takes every second pixel and is padded with channels of zeros, as many in front
    as behind ("option A").

    Shape: (n, before, h, w) -> (n, after, h, w), both sides halved (rounded up) where `after` is larger.
    Raises: ValueError when `after` is not `before` or twice as wide.
    Source: He et al. 2016, arXiv:1512.03385, section 4.2.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        if after not in (before, 2 * before):
            raise ValueError(f"`after` must be `before` or twice as wide, but got {before=} and {after=}.")
        self.grown = after - before
        stride = 2 if self.grown else 1
        self.conv1 = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, before, h, w)."""
        branch = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        found: Tensor = self.relu2(branch + self._shortcut(x))
        return found

    def _shortcut(self, x: Tensor) -> Tensor:
        if not self.grown:
            return x
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.grown // 2, self.grown // 2))


class CifarResNet(nn.Module):
    """A 3x3 convolution, three stages of (depth - 2) / 6 blocks of 16, 32 and 64 channels, global average, linear map.

    Shape: (n, channels, h, w) -> (n, outputs); made for 32 x 32.
    Cost: ResNet-20 41 M multiply-adds and 0.27 M weights at 32 x 32, ResNet-56 126 M and 0.85 M.
    Raises: ValueError when depth - 2 is not a multiple of 6.
    Source: He et al. 2016, arXiv:1512.03385, section 4.2.
    """

    def __init__(self, outputs: int, *, depth: int = 20, channels: int = 3) -> None:
        super().__init__()
        if depth < 8 or (depth - 2) % 6:
            raise ValueError(f"`depth` must be 8, 14, 20, ... (6 n + 2), but got {depth=}.")
        blocks = (depth - 2) // 6
        self.body = nn.Sequential()
        self.body.add_module("stem", _stem(channels))
        before = WIDTHS[0]
        for stage, width in enumerate(WIDTHS):
            for block in range(blocks):
                self.body.add_module(f"stage{stage + 1}_block{block + 1}", PaddedShortcutBlock(before, width))
                before = width
        self.pool = GlobalAverage()
        self.classifier = nn.Linear(before, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, h, w)."""
        found: Tensor = self.classifier(self.pool(self.body(x)))
        return found


def _stem(channels: int) -> nn.Sequential:
    stem = nn.Sequential()
    stem.add_module("conv", nn.Conv2d(channels, WIDTHS[0], 3, padding=1, bias=False))
    stem.add_module("norm", nn.BatchNorm2d(WIDTHS[0]))
    stem.add_module("relu", nn.ReLU())
    return stem
