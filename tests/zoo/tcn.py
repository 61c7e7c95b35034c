"""Causal dilated convolutions in 1-D: WaveNet's gated blocks, and the TCN with two convolutions a level.

Source: van den Oord et al. 2016, arXiv:1609.03499, figures 3 and 4; Bai, Kolter and Koltun 2018, arXiv:1803.01271,
figure 1.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Gated(nn.Module):
    """tanh times sigmoid of two causal convolutions; the map goes on with the sum, the skip goes out."""

    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.reach = (kernel - 1) * dilation
        self.filter = nn.Conv1d(width, width, kernel, dilation=dilation)
        self.gate = nn.Conv1d(width, width, kernel, dilation=dilation)
        self.out = nn.Conv1d(width, width, 1)
        self.skip = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        past = F.pad(x, (self.reach, 0))
        z = torch.tanh(self.filter(past)) * torch.sigmoid(self.gate(past))
        return x + self.out(z), self.skip(z)


class WaveNet(nn.Module):
    """(n, c, t) -> (n, classes, t); unit i sees pixels i - field + 1 to i."""

    def __init__(
        self,
        channels: int = 1,
        classes: int = 4,
        width: int = 4,
        kernel: int = 2,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 32) * 2,
    ) -> None:
        super().__init__()
        self.field = 1 + (kernel - 1) * sum(dilations)
        self.first = nn.Conv1d(channels, width, 1)
        self.blocks = nn.ModuleList(Gated(width, kernel, dilation) for dilation in dilations)
        self.head = nn.Sequential(nn.ReLU(), nn.Conv1d(width, width, 1), nn.ReLU(), nn.Conv1d(width, classes, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        skips = torch.zeros_like(x)
        for block in self.blocks:
            x, skip = block(x)
            skips = skips + skip
        return self.head(skips)


class Level(nn.Module):
    """Two convolutions padded on both sides and chomped on the right, and a residual."""

    def __init__(self, before: int, after: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.chomp = (kernel - 1) * dilation
        self.conv1 = nn.Conv1d(before, after, kernel, padding=self.chomp, dilation=dilation)
        self.conv2 = nn.Conv1d(after, after, kernel, padding=self.chomp, dilation=dilation)
        self.shortcut = nn.Conv1d(before, after, 1) if before != after else nn.Identity()
        self.drop = nn.Dropout(0.2)

    def forward(self, x: Tensor) -> Tensor:
        z = self.drop(F.relu(self.conv1(x)[..., : -self.chomp]))
        z = self.drop(F.relu(self.conv2(z)[..., : -self.chomp]))
        return F.relu(z + self.shortcut(x))


class TCN(nn.Module):
    """(n, c, t) -> (n, width, t); 1 + 2 (k - 1)(2^levels - 1) steps are seen."""

    def __init__(self, channels: int = 1, width: int = 4, kernel: int = 3, levels: int = 4) -> None:
        super().__init__()
        self.field = 1 + 2 * (kernel - 1) * (2**levels - 1)
        self.levels = nn.Sequential(*(Level(channels if i == 0 else width, width, kernel, 2**i) for i in range(levels)))

    def forward(self, x: Tensor) -> Tensor:
        return self.levels(x)
