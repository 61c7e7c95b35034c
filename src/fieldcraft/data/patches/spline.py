"""Smooth displacements: a coarse grid of knots, cubic B-splines between them."""

from collections.abc import Sequence

import torch
from torch import Tensor


def knot_counts(sides: Sequence[int], distances: Sequence[float]) -> tuple[int, ...]:
    """How many knots, `distances` voxels apart, it takes along each axis of a patch."""
    return tuple(int((side - 1) / distance) + 4 for side, distance in zip(sides, distances, strict=True))


def displacements(knots: Tensor, sides: Sequence[int], distances: Sequence[float]) -> Tensor:
    """How far each voxel moves when knots move; twice differentiable.

    Shape: (n, d, *knot_counts(sides, distances)) -> (n, d, *sides).
    """
    found = knots
    for axis, (side, distance) in enumerate(zip(sides, distances, strict=True), start=2):
        weights = basis(side, distance, knots.shape[axis], device=knots.device)
        found = torch.tensordot(found, weights, dims=([axis], [1])).movedim(-1, axis)
    return found


def basis(side: int, distance: float, count: int, *, device: torch.device | None = None) -> Tensor:
    """Weights of `count` knots at each of `side` voxels, (side, count); every row sums to 1.

    The uniform cubic B-spline: 2/3 at its knot, 1/6 at the neighbouring ones, nothing from two on.
    """
    at = torch.arange(side, device=device, dtype=torch.float32)[:, None] / distance + 1
    far = (at - torch.arange(count, device=device)).abs()
    near = 2 / 3 - far.square() + far.pow(3) / 2
    rim = (2 - far).clamp(min=0).pow(3) / 6
    return torch.where(far < 1, near, rim)
