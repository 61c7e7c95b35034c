"""Squeeze-and-excitation: gates that see the whole map."""

import torch
from torch import Tensor, nn

LEAST_HIDDEN = 4


class SqueezeExcitation(nn.Module):
    """Multiply each channel by a gate between 0 and 2 that a small network computes from the means of all channels.

    The factor 2 is ours: with its last layer at zero, where `start_open` puts it, every gate is 1 and the block begins
    as the identity.

    Shape: (n, channels, *map) -> same. Receptive field: the whole input from here on.
    Cost: 2 channels * hidden multiply-adds a sample, one more pass over the map; hidden is channels / reduction, and
    at least 4.
    Raises: ValueError when `reduction` is below 1.
    Source: Hu et al. 2017, arXiv:1709.01507, section 3.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = hidden_width(channels, reduction)
        self.squeeze = nn.Linear(channels, hidden)
        self.excite = nn.Linear(hidden, channels)
        self.start_open()

    def start_open(self) -> None:
        """Let every gate be 1."""
        nn.init.zeros_(self.excite.weight)
        nn.init.zeros_(self.excite.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Gate (n, channels, *map)."""
        gate = 2 * torch.sigmoid(self.excite(torch.relu(self.squeeze(x.flatten(2).mean(2)))))
        return x * gate.reshape(*gate.shape, *[1] * (x.dim() - 2))


def make_gate(channels: int, reduction: int) -> nn.Module:
    """A gate, or for a reduction of 0 a module without weights that gives back what it gets."""
    return SqueezeExcitation(channels, reduction) if reduction else nn.Identity()


def hidden_width(channels: int, reduction: int) -> int:
    """Width of the small network. Raises: ValueError when `reduction` is below 1."""
    if reduction < 1:
        raise ValueError(f"`reduction >= 1` must hold, but got {reduction=}.")
    return max(LEAST_HIDDEN, channels // reduction)
