"""Changes of brightness, contrast, colour and sharpness, whole batches at a time, each sample by numbers of its own."""

from dataclasses import dataclass
from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor

from fieldcraft.data.sent import sent
from fieldcraft.plan.schema import Augment
from fieldcraft.records.deep_facts import BLUR

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""


@dataclass(frozen=True)
class Look:
    """What is done to each of n samples, float32 (n,) each, on the CPU or with them; None: nothing to any."""

    brightness: Tensor | None = None
    """Added to every pixel, in deviations."""
    contrast: Tensor | None = None
    """By which distances from the image's mean are multiplied."""
    gray: Tensor | None = None
    """Share in which colours give way to their luminance; for RGB alone."""
    blur: Tensor | None = None
    """Deviation of a Gaussian, as a share of the shorter side; 0 leaves a sample as it is."""

    @property
    def nothing(self) -> bool:
        """Whether all samples stay as they are."""
        return self.brightness is None and self.contrast is None and self.gray is None and self.blur is None


def planned_look(augment: Augment, draws: Tensor) -> Look:
    """What a plan's `brightness`, `contrast`, `gray` and `blur` make of draws in [0, 1), float32 (4, n)."""
    brightness, contrast, gray, blur = draws
    return Look(
        brightness=(2 * brightness - 1) * augment.brightness if augment.brightness else None,
        contrast=1 + (2 * contrast - 1) * augment.contrast if augment.contrast else None,
        gray=(gray < augment.gray).float() if augment.gray else None,
        # Where a sample is blurred at all, what is left of the number says how much: a third of the largest at least.
        blur=(blur < augment.blur) * BLUR * (1 + 2 * blur / augment.blur) / 3 if augment.blur else None,
    )


def coloured(images: Tensor, look: Look, deviation: Tensor) -> Tensor:
    """Images with their look changed; values may leave the stored range.

    Shape: float32 (n, h, w, c) -> the same, a new tensor; `deviation` () is that of the pixels, in stored units.
    """
    _, height, width, channels = images.shape
    if look.gray is not None and channels == 3:
        weights = sent(torch.tensor(LUMINANCE), images.device)
        images = torch.lerp(images, (images @ weights)[..., None], sent(look.gray, images.device)[:, None, None, None])
    if look.brightness is not None or look.contrast is not None:
        add = torch.zeros(len(images), device=images.device)
        times = torch.ones_like(add)
        if look.brightness is not None:
            add = sent(look.brightness, images.device) * deviation
        if look.contrast is not None:
            times = sent(look.contrast, images.device)
            add = add + (1 - times) * images.mean(dim=(1, 2, 3))
        images = images * times[:, None, None, None] + add[:, None, None, None]
    if look.blur is not None:
        some = look.blur.nonzero()[:, 0]
        there, wide = sent(some, images.device), sent(look.blur[some] * min(height, width), images.device)
        images = images.index_copy(0, there, blurred(images[there], wide))
    return images


def blurred(images: Tensor, deviation: Tensor) -> Tensor:
    """Each image under a Gaussian of its own, border pixels repeated.

    Shape: float32 (n, h, w, c), deviation (n,) in pixels, above 0 -> (n, h, w, c).
    """
    count, height, width, channels = images.shape
    if not count:
        return images
    reach = max(1, ceil(3 * BLUR * min(height, width)))
    kernel = torch.exp(
        -torch.arange(-reach, reach + 1, device=images.device).square() / (2 * deviation.square()[:, None])
    )
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    planes = images.permute(0, 3, 1, 2).reshape(1, count * channels, height, width)
    padded = F.pad(planes, (reach, reach, reach, reach), mode="replicate")
    down = F.conv2d(padded, kernel[:, None, :, None], groups=count * channels)
    done = F.conv2d(down, kernel[:, None, None, :], groups=count * channels)
    return done.view(count, channels, height, width).permute(0, 2, 3, 1)
