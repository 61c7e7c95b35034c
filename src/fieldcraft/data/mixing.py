"""Mixup and cutmix: each sample shares its picture and its target with another one of the batch.

Hurts: targets become shares of classes, so that a loss must take these; one sample is never seen whole.
Source: Zhang et al. 2018, arXiv:1710.09412 (mixup); Yun et al. 2019, arXiv:1905.04899 (cutmix).
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.special import betaincinv
from torch import Tensor

from fieldcraft.data.sent import sent
from fieldcraft.records.streams import stream_seed

MIXES = 5
"""Uniform numbers a sample: which of both, what share, with whom, and where a rectangle lies (y, x)."""


@dataclass(frozen=True)
class Mixer:
    """The plan's mixup and cutmix, drawn from the stream (seed, "mix", name, step)."""

    mixup: float
    """Of Beta(mixup, mixup), whose draws are the share of a sample's own picture; 0: no mixup."""
    cutmix: float
    """Likewise; the share of the picture that is not pasted over. With both, each takes half of the samples."""
    classes: int
    """Of single-label targets."""
    seed: int
    name: str

    def __call__(self, inputs: Tensor, targets: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Blend a batch with itself.

        Shape: inputs float32 (n, c, h, w), targets int64 (n,) or float32 (n, k) -> inputs, targets float32 (n, k).
        """
        generator = torch.Generator().manual_seed(stream_seed(self.seed, "mix", self.name, step))
        return self.mixed(inputs, targets, torch.rand(MIXES, len(inputs), generator=generator, dtype=torch.float64))

    def mixed(self, inputs: Tensor, targets: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        """The same by draws in [0, 1), float64 (5, n), on the CPU."""
        height, width = inputs.shape[2:]
        which, share, partner, y, x = draws
        cut = which < 0.5 if self.mixup and self.cutmix else torch.full_like(which, bool(self.cutmix), dtype=torch.bool)
        own = torch.where(cut, beta(share, self.cutmix), beta(share, self.mixup))
        side = torch.where(cut, (1 - own).sqrt(), 0.0)
        pasted = _span(height, side, y)[:, :, None] & _span(width, side, x)[:, None, :]
        # What was not pasted over is the sample's own share exactly, also where the border cut a rectangle short.
        keep = torch.where(cut[:, None, None], (~pasted).double(), own[:, None, None])
        device, order = inputs.device, sent(partner.argsort(), inputs.device)
        weights = sent(keep.float(), device)
        soft = targets if targets.is_floating_point() else F.one_hot(targets, self.classes).float()
        shares = sent(keep.mean(dim=(1, 2)).float(), device)[:, None]
        layout = (
            torch.channels_last if inputs.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
        )
        blended = torch.lerp(inputs[order], inputs, weights[:, None])
        return blended.contiguous(memory_format=layout), torch.lerp(soft[order], soft, shares)


def beta(numbers: Tensor, alpha: float) -> Tensor:
    """Uniform numbers to draws of Beta(alpha, alpha), float64 (n,) on the CPU; always 1 for alpha = 0."""
    if not alpha:
        return torch.ones_like(numbers)
    if alpha == 1:
        return numbers
    return torch.from_numpy(np.asarray(betaincinv(alpha, alpha, numbers.numpy())))


def _span(size: int, side: Tensor, centre: Tensor) -> Tensor:
    """Which of `size` places lie within side * size of a centre drawn anywhere, bool (n, size)."""
    middle, half = (centre * size).floor()[:, None], (side * size).floor()[:, None] / 2
    places = torch.arange(size)
    return (places >= (middle - half).floor()) & (places < (middle + half).floor())
