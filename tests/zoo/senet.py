"""A tiny squeeze-and-excitation net: gates that look at the whole map.

Source: Hu, Shen and Sun 2018, arXiv:1709.01507, figures 1 and 3.
"""

from torch import Tensor, nn


class SqueezeExcite(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(width, inner, 1), nn.ReLU(), nn.Conv2d(inner, width, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gate(x)


class SeBlock(nn.Module):
    """Two 3x3 with a gate, and a residual."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)),
            SqueezeExcite(width, max(1, width // 2)),
        )
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(x + self.branch(x))


class SeNet(nn.Module):
    """(n, 3, h, w) -> (n, width, h / 2, w / 2); locally 11 + 8 (blocks - 1) px are seen, with the gates everything."""

    def __init__(self, channels: int = 3, width: int = 4, blocks: int = 2) -> None:
        super().__init__()
        self.field = 3 + 8 * blocks
        self.stem = nn.Conv2d(channels, width, 3, 2, 1)
        self.blocks = nn.Sequential(*(SeBlock(width) for _ in range(blocks)))

    def forward(self, x: Tensor) -> Tensor:
        return self.blocks(self.stem(x))
