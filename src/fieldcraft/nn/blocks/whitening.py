"""A convolution whose first filters are data, not weights."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class WhiteningConv2d(nn.Conv2d):
    """A convolution whose first filters come from `nn.initialise.whiten_` and stay; the others are learnt.

    The kept filters are a buffer: no gradient, no weight decay and no optimiser state ever reach them. Until they are
    filled they equal the weights that they stand in for.

    Shape: (n, in_channels, h, w) -> (n, out_channels, h', w') as nn.Conv2d.
    Source: Jordan 2024, arXiv:2404.00498, section 3.2 (frozen patch-whitening first layer).
    """

    kept: Tensor

    def __init__(self, like: nn.Conv2d) -> None:
        """Take over geometry and weights of `like`."""
        height, width = like.kernel_size
        super().__init__(
            like.in_channels,
            like.out_channels,
            (height, width),
            stride=(like.stride[0], like.stride[1]),
            padding=_pair(like.padding),
            bias=like.bias is not None,
        )
        with torch.no_grad():
            self.weight.copy_(like.weight)
            if self.bias is not None and like.bias is not None:
                self.bias.copy_(like.bias)
        count = kept_filters(like.in_channels, like.out_channels, height, width)
        self.register_buffer("kept", self.weight.detach()[:count].clone())

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (n, in_channels, h, w)."""
        weight = torch.cat([self.kept, self.weight[len(self.kept) :]])
        return F.conv2d(x, weight, self.bias, self.stride, self.padding)


def _pair(padding: str | tuple[int, ...]) -> str | tuple[int, int]:
    return padding if isinstance(padding, str) else (padding[0], padding[1])


def kept_filters(channels: int, filters: int, height: int, width: int) -> int:
    """How many of `filters` can be whitening ones: pairs of a direction and its negative, as many as there are."""
    return 2 * min(filters // 2, channels * height * width)
