"""SqueezeNet v1.0: a thin network for large images, whose blocks squeeze the channels before they look around."""

import torch
from torch import Tensor, nn

from fieldcraft.nn.heads.pooling import GlobalAverage

FIRES = {2: (16, 64), 3: (16, 64), 4: (32, 128), 5: (32, 128), 6: (48, 192), 7: (48, 192), 8: (64, 256), 9: (64, 256)}
"""Channels by block: after the squeeze, and of each half of what it gives."""
POOLED_AFTER = (4, 8)
FEATURES = 512


class Fire(nn.Module):
    """A 1x1 convolution down to `squeezed` channels, then 1x1 and 3x3 convolutions side by side, `expanded` each.

    Shape: (n, before, h, w) -> (n, 2 * expanded, h, w), those of the 1x1 convolution first. Receptive field: +2 px.
    Cost: (before + 10 expanded) * squeezed multiply-adds a pixel.
    Source: Iandola et al. 2016, arXiv:1602.07360, section 3.2.
    """

    def __init__(self, before: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(before, squeezed, 1)
        self.squeeze_relu = nn.ReLU()
        self.expand1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3 = nn.Conv2d(squeezed, expanded, 3, padding=1)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, before, h, w)."""
        thin = self.squeeze_relu(self.squeeze(x))
        found: Tensor = self.relu(torch.cat((self.expand1(thin), self.expand3(thin)), dim=1))
        return found


class SqueezeNet(nn.Module):
    """A 7x7 convolution with strides of 2, eight fire blocks, dropout, a linear map at each place, their mean.

    Pooling is over 3x3 with strides of 2 and counts windows that hang over the edge (Caffe's "ceil mode").

    Shape: (n, channels, h, w) -> (n, outputs); sides of 21 px or more, made for 227.
    Cost: 0.83 G multiply-adds at 227 px with 1,000 outputs; 1.25 M weights, 0.74 M of them below the last map.
    Hurts: it has no norms, so it needs a careful rate.
    Source: Iandola et al. 2016, arXiv:1602.07360, table 1; the authors' later files also have a rectifier after the
    last map, which `rectified` keeps.
    """

    def __init__(self, outputs: int, *, channels: int = 3, dropout: float = 0.5, rectified: bool = False) -> None:
        super().__init__()
        self.body = nn.Sequential()
        self.body.add_module("conv1", nn.Conv2d(channels, 96, 7, stride=2))
        self.body.add_module("relu1", nn.ReLU())
        self.body.add_module("pool1", nn.MaxPool2d(3, stride=2, ceil_mode=True))
        before = 96
        for number, (squeezed, expanded) in FIRES.items():
            self.body.add_module(f"fire{number}", Fire(before, squeezed, expanded))
            before = 2 * expanded
            if number in POOLED_AFTER:
                self.body.add_module(f"pool{number}", nn.MaxPool2d(3, stride=2, ceil_mode=True))
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Conv2d(before, outputs, 1)
        self.relu = nn.ReLU() if rectified else nn.Identity()
        self.pool = GlobalAverage()

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, channels, h, w)."""
        found: Tensor = self.pool(self.relu(self.classifier(self.dropout(self.body(x)))))
        return found
