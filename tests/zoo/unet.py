"""A tiny U-Net: down by max-pools, up by transposed convolutions, skips by concatenation.

Source: Ronneberger, Fischer and Brox 2015, arXiv:1505.04597, figure 1 (with padded convolutions).
"""

import torch
from torch import Tensor, nn


def double(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)),
        *(nn.Conv2d(after, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)),
    )


class UNet(nn.Module):
    """(n, c, h, w) -> (n, classes, h, w); h and w are multiples of 2^depth."""

    def __init__(self, channels: int = 1, classes: int = 2, width: int = 4, depth: int = 2) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        befores = [channels, *widths]
        self.down = nn.ModuleList(double(befores[level], widths[level]) for level in range(depth))
        self.pool = nn.MaxPool2d(2)
        self.bottom = double(befores[depth], widths[depth])
        self.up = nn.ModuleList(nn.ConvTranspose2d(widths[i + 1], widths[i], 2, 2) for i in reversed(range(depth)))
        self.merge = nn.ModuleList(double(2 * widths[i], widths[i]) for i in reversed(range(depth)))
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for step in self.down:
            x = step(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottom(x)
        for up, merge, skip in zip(self.up, self.merge, reversed(skips), strict=True):
            x = merge(torch.cat([up(x), skip], dim=1))
        return self.head(x)
