"""TrivialAugment: for each sample one change, drawn with equal chances, with a strength drawn uniformly.

The changes are those that a plan allows, up to the strengths for which their symmetry is measured; one draw in
(changes + 1) leaves the sample alone.
Source: Mueller and Hutter 2021, arXiv:2103.10158.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from fieldcraft.data.affine import matrices, sampled
from fieldcraft.data.colour import Look, coloured
from fieldcraft.data.sent import sent
from fieldcraft.plan.schema import Change
from fieldcraft.records.deep_facts import BLUR, BRIGHTNESS, CONTRAST, ROTATION_DEG, SCALE, TRANSLATION


def trivially(images: Tensor, changes: Sequence[Change], draws: Tensor, deviation: Tensor) -> Tensor:
    """One change a sample, or none.

    Shape: float32 (n, h, w, c), draws float32 (3, n) in [0, 1): which change, how strong, and the second direction of a
    shift; `deviation` () of the pixels in stored units -> (n, h, w, c).
    """
    which = (draws[0] * (len(changes) + 1)).long()
    strength, across = 2 * draws[1] - 1, 2 * draws[2] - 1

    def on(change: Change) -> Tensor | None:
        return which == changes.index(change) if change in changes else None

    images = _moved(images, on("translation"), on("rotation"), on("scale"), strength, across)
    zero, one = torch.zeros_like(strength), torch.ones_like(strength)
    bright, contrast, gray, blur = on("brightness"), on("contrast"), on("gray"), on("blur")
    look = Look(
        brightness=None if bright is None else torch.where(bright, BRIGHTNESS * strength, zero),
        contrast=None if contrast is None else torch.where(contrast, 1 + CONTRAST * strength, one),
        gray=None if gray is None else torch.where(gray, strength.abs(), zero),
        blur=None if blur is None else torch.where(blur, BLUR * (2 + strength) / 3, zero),
    )
    return coloured(images, look, deviation)


def _moved(
    images: Tensor, shift: Tensor | None, turn: Tensor | None, scale: Tensor | None, strength: Tensor, across: Tensor
) -> Tensor:
    """Images whose change is one of place, sampled between pixels; the others are not touched."""
    if shift is None and turn is None and scale is None:
        return images
    zero, one = torch.zeros_like(strength), torch.ones_like(strength)
    _, height, width, _ = images.shape
    reach = TRANSLATION * min(height, width)
    angle = zero if turn is None else torch.where(turn, strength * (ROTATION_DEG * torch.pi / 180), zero)
    larger = one if scale is None else torch.where(scale, 1 + SCALE * strength, one)
    dy = zero if shift is None else torch.where(shift, reach * strength, zero)
    dx = zero if shift is None else torch.where(shift, reach * across, zero)
    some = ((angle != 0) | (larger != 1) | (dy != 0) | (dx != 0)).nonzero()[:, 0]
    if not len(some):
        return images
    places = sent(matrices(angle, larger, one, one, dy, dx, height, width)[some], images.device)
    there = sent(some, images.device)
    return images.index_copy(0, there, sampled(images[there], places))
