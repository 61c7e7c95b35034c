"""The ten changes of images whose harm is measured, whole batches at a time, each sample with a draw of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor

from fieldcraft.data.augment import draw, shifted, warped
from fieldcraft.plan.schema import Augment
from fieldcraft.records.deep_facts import BLUR, BRIGHTNESS, CONTRAST, ROTATION_DEG, SCALE, TRANSLATION, Transform

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""
SMALLEST = 6
"""Sides below this are too few pixels to turn, shift or scale by a little."""
FAINTEST = 0.4
"""Deviation in pixels below which a Gaussian leaves images as they are."""


@dataclass(frozen=True)
class Change:
    """One change, and where it can be made."""

    transform: Transform
    apply: Callable[[Tensor, int], Tensor]
    """(float32 (n, c, h, w) of deviation 1 over all pixels, seed) -> the same shape."""
    between_pixels: bool = False
    """Whether it samples between pixels: then it is made before images are brought to the probe's size."""


def changes_for(images: Tensor) -> tuple[Change, ...]:
    """Those that make sense for such images: no gray where there is no colour, nothing small on tiny images.

    Shape: (n, c, h, w).
    """
    side = min(images.shape[2:])
    left_out: set[Transform] = set()
    if side < SMALLEST:
        left_out |= {"rotation", "translation", "scale"}
    if BLUR * side < FAINTEST:
        left_out.add("blur")
    if images.shape[1] != 3 or torch.equal(images[:, :1].expand_as(images), images):
        left_out.add("gray")
    return tuple(change for change in ALL if change.transform not in left_out)


def _flip_horizontal(images: Tensor, seed: int) -> Tensor:
    return images.flip(3)


def _flip_vertical(images: Tensor, seed: int) -> Tensor:
    return images.flip(2)


def _quarter_turns(images: Tensor, seed: int) -> Tensor:
    """One, two or three, by lot; what is not square is squeezed back into its frame."""
    turns = torch.randint(1, 4, (len(images),), generator=torch.Generator().manual_seed(seed))
    turned = torch.empty_like(images)
    for quarters in (1, 2, 3):
        some = torch.rot90(images[turns == quarters], quarters, (2, 3))
        if len(some) and some.shape[2:] != images.shape[2:]:
            some = F.interpolate(some, size=images.shape[2:], mode="bilinear", antialias=True)
        turned[turns == quarters] = some
    return turned


def _rotation(images: Tensor, seed: int) -> Tensor:
    return _as_in_training(images, Augment(rotate_deg=ROTATION_DEG), seed)


def _translation(images: Tensor, seed: int) -> Tensor:
    return _as_in_training(images, Augment(crop_px=max(1, int(TRANSLATION * min(images.shape[2:])))), seed)


def _scale(images: Tensor, seed: int) -> Tensor:
    return _as_in_training(images, Augment(scale=SCALE), seed)


def _as_in_training(images: Tensor, augment: Augment, seed: int) -> Tensor:
    """What a plan with this augmentation would make of the images."""
    stored, rows = images.permute(0, 2, 3, 1).contiguous(), torch.arange(len(images))
    how = warped if augment.rotate_deg or augment.scale else shifted
    return how(stored, rows, augment, draw(len(images), seed, images.device)).permute(0, 3, 1, 2)


def _gray(images: Tensor, seed: int) -> Tensor:
    weight = torch.tensor(LUMINANCE)[:, None, None]
    return (images * weight).sum(dim=1, keepdim=True).expand_as(images)


def _contrast(images: Tensor, seed: int) -> Tensor:
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return mean + (images - mean) * (1 + CONTRAST * _either_way(len(images), seed))


def _brightness(images: Tensor, seed: int) -> Tensor:
    return images + BRIGHTNESS * _either_way(len(images), seed)


def _blur(images: Tensor, seed: int) -> Tensor:
    """A Gaussian whose deviation is uniform between a third of the largest and the largest."""
    count, channels, height, width = images.shape
    largest = BLUR * min(height, width)
    deviation = largest * (2 + _either_way(count, seed).view(count, 1)) / 3
    reach = max(1, ceil(3 * largest))
    kernel = torch.exp(-torch.arange(-reach, reach + 1).square() / (2 * deviation.square()))
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    padded = F.pad(images.reshape(1, count * channels, height, width), (reach, reach, reach, reach), mode="replicate")
    down = F.conv2d(padded, kernel[:, None, :, None], groups=count * channels)
    return F.conv2d(down, kernel[:, None, None, :], groups=count * channels).view(images.shape)


def _either_way(count: int, seed: int) -> Tensor:
    """Uniform in [-1, 1), (count, 1, 1, 1)."""
    return 2 * torch.rand(count, 1, 1, 1, generator=torch.Generator().manual_seed(seed)) - 1


ALL = (
    Change("flip-horizontal", _flip_horizontal),
    Change("flip-vertical", _flip_vertical),
    Change("quarter-turns", _quarter_turns),
    Change("rotation", _rotation, between_pixels=True),
    Change("translation", _translation, between_pixels=True),
    Change("scale", _scale, between_pixels=True),
    Change("gray", _gray),
    Change("contrast", _contrast),
    Change("brightness", _brightness),
    Change("blur", _blur),
)
"""In the order in which they are shown."""
