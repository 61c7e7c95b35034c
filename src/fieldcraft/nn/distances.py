"""Exact Euclidean distances to masks, on any device, over 1 to 3 axes."""

from collections.abc import Sequence
from math import inf

import torch
from torch import Tensor

MOST_NUMBERS = 2**24
"""Numbers that are compared at once, for memory."""


@torch.no_grad()
def squared_distances(mask: Tensor, spacing: float | Sequence[float] = 1.0) -> Tensor:
    """Of each position, to the nearest one of the mask; infinite where a sample has none.

    The minimum over all positions is taken axis by axis, by trying them all: exact, and the cost is the sum of the
    sizes, a position.

    Shape: bool (n, *spatial) -> float32 (n, *spatial). Units: those of `spacing` (one number, or one an axis), squared.
    Source: Felzenszwalb and Huttenlocher 2012, doi:10.4086/toc.2012.v008a019, section 2.1 (one axis after the other).
    """
    axes = mask.dim() - 1
    steps = (float(spacing),) * axes if isinstance(spacing, int | float) else tuple(spacing)
    if len(steps) != axes or min(steps) <= 0:
        raise ValueError(f"`spacing` must be one number above 0, or {axes} of them (one an axis), but got {spacing}.")
    found = torch.where(mask, 0.0, inf)
    for axis, step in enumerate(steps, start=1):
        size = found.shape[axis]
        places = torch.arange(size, device=mask.device, dtype=torch.float32) * step
        apart = (places.unsqueeze(0) - places.unsqueeze(1)) ** 2
        lines = found.movedim(axis, -1)
        flat = lines.reshape(-1, 1, size)
        nearest = [(part + apart).amin(-1) for part in torch.split(flat, max(1, MOST_NUMBERS // size**2))]
        found = torch.cat(nearest).reshape(lines.shape).movedim(-1, axis)
    return found


@torch.no_grad()
def signed_distances(target: Tensor, classes: int, spacing: float | Sequence[float] = 1.0) -> Tensor:
    """Of each class: from positions outside to the nearest inside, and the negative of that from inside to outside.

    A class that a sample does not have, or that fills it, has no boundary: 0 everywhere. Ids from 0 to classes - 1
    are looked at; positions of any other (void) are outside of every class.

    Shape: whole numbers (n, *spatial) -> float32 (n, classes, *spatial). Units: those of `spacing`.
    """
    maps = []
    for id_ in range(classes):
        inside = target == id_
        both = inside.flatten(1).any(1) & ~inside.flatten(1).all(1)
        signed = squared_distances(inside, spacing).sqrt() - squared_distances(~inside, spacing).sqrt()
        maps.append(torch.where(both.reshape(-1, *[1] * (target.dim() - 1)), signed, 0.0))
    return torch.stack(maps, dim=1)
