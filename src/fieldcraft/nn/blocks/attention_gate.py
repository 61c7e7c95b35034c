"""Attention gates: what a coarse map knows decides which positions of a finer one pass."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.nn.blocks.axes import CONVOLUTIONS, enlarge
from fieldcraft.nn.sizes import Size, per_axis


class AttentionGate(nn.Module):
    """Multiply every position of a skip map by a number between 0 and 1.

    The skip map is brought to the coarse one's size by a convolution of kernel and stride `factor` (zeros behind it
    where `factor` does not divide its size); sigmoid(psi(relu(W_x skip + W_g coarse))) is one gate a position of the
    coarse map, resized linearly to the fine one.

    Shape: (n, fine, *size), (n, coarse, *ceil(size / factor)) -> (n, fine, *size).
    Receptive field: that of the coarse map, and its neighbours for the linear resizing.
    Cost: (prod(factor) fine + coarse) hidden multiply-adds per position of the coarse map; hidden is fine // 2.
    Hurts: small sets (more weights to fit), and objects so thin that the coarse map does not see them: it shuts the
    skip that would have shown them.
    Source: Oktay et al. 2018, arXiv:1804.03999, equations 1 and 2 and figure 2.
    """

    def __init__(self, fine: int, coarse: int, factor: Size, *, spatial: int = 2) -> None:
        super().__init__()
        self.factors = per_axis(factor, spatial, "`factor`")
        hidden = max(1, fine // 2)
        convolution = CONVOLUTIONS[spatial]
        self.of_skip = convolution(fine, hidden, self.factors, stride=self.factors, bias=False)
        self.of_coarse = convolution(coarse, hidden, 1)
        self.psi = convolution(hidden, 1, 1)

    def gates(self, skip: Tensor, coarse: Tensor) -> Tensor:
        """The numbers between 0 and 1, (n, 1, *size)."""
        sizes = skip.shape[2:]
        behind = [(-size) % factor for size, factor in zip(sizes, self.factors, strict=True)]
        if any(behind):
            skip = F.pad(skip, [side for size in reversed(behind) for side in (0, size)])
        gate = torch.sigmoid(self.psi(torch.relu(self.of_skip(skip) + self.of_coarse(coarse))))
        return enlarge(gate, self.factors, sizes)

    def forward(self, skip: Tensor, coarse: Tensor) -> Tensor:
        """Gate the skip map."""
        return skip * self.gates(skip, coarse)
