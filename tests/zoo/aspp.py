"""A tiny DeepLab v3: dilated branches side by side and the mean of the whole image.

Source: Chen et al. 2017, arXiv:1706.05587, figure 5.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def step(before: int, after: int, kernel: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    padding = dilation * (kernel - 1) // 2
    conv = nn.Conv2d(before, after, kernel, stride, padding, dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())


class ImagePooling(nn.Module):
    """The mean of the image, spread over the map."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = step(before, after, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.conv(F.adaptive_avg_pool2d(x, 1))
        return F.interpolate(pooled, size=x.shape[-2:], mode="bilinear", align_corners=False)


class Aspp(nn.Module):
    def __init__(self, before: int, after: int, rates: Sequence[int], *, pooling: bool) -> None:
        super().__init__()
        branches = [step(before, after, 1), *(step(before, after, 3, dilation=rate) for rate in rates)]
        self.branches = nn.ModuleList([*branches, *([ImagePooling(before, after)] if pooling else [])])
        self.project = nn.Sequential(step(len(self.branches) * after, after, 1), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.project(torch.cat([branch(x) for branch in self.branches], dim=1))


class DeepLab(nn.Module):
    """(n, c, h, w) -> (n, classes, h, w); without `pooling` the field is finite."""

    def __init__(
        self,
        channels: int = 3,
        classes: int = 2,
        width: int = 4,
        rates: Sequence[int] = (1, 2, 3),
        *,
        pooling: bool = True,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(step(channels, width, 3, 2), step(width, width, 3, 2), step(width, width, 3, 1, 2))
        self.aspp = Aspp(width, width, rates, pooling=pooling)
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        scores = self.head(self.aspp(self.stem(x)))
        return F.interpolate(scores, size=x.shape[-2:], mode="bilinear", align_corners=False)
