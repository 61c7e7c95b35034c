"""Cases brought to another spacing, and what was predicted there brought back to exactly the grid they came on.

Grids cover the same space: borders of the outermost voxels coincide, not their centres, so nothing drifts.
"""

from collections.abc import Sequence
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

Order = Literal[0, 1, 3]
"""Between voxels: the nearest, linear, or cubic splines, which keep edges sharper and may overshoot them."""
Kind = TypeVar("Kind", bound=np.generic)
LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def shape_at(shape: Sequence[int], spacing: Sequence[float], target: Sequence[float]) -> tuple[int, ...]:
    """Voxels along each axis when `spacing` becomes `target`; the grid takes up what rounding leaves, and at least one.

    Raises: ValueError when a spacing is not above 0, or numbers of axes differ.
    """
    if not len(shape) == len(spacing) == len(target):
        raise ValueError(
            f"`shape`, `spacing` and `target` must have one number an axis, but got {shape}, {spacing} and {target}."
        )
    if not all(one > 0 for one in (*spacing, *target)):
        raise ValueError(f"every spacing must be above 0, but got {tuple(spacing)} and {tuple(target)}.")
    return tuple(max(1, round(side * own / new)) for side, own, new in zip(shape, spacing, target, strict=True))


def orders_for(spacing: Sequence[float], order: Order = 3, thick: float = 3.0) -> tuple[Order, ...]:
    """For each axis how to go between voxels: `order`, but linear where that would ring from slice to slice.

    That is along axes that are `thick` times coarser than the finest.
    """
    return tuple(order if one < thick * min(spacing) or order == 0 else 1 for one in spacing)


def resampled(image: npt.NDArray[np.generic], shape: Sequence[int], orders: Sequence[Order]) -> npt.NDArray[np.float32]:
    """Images, or probabilities, on another grid of the same space.

    Shape: (channels, *spatial), one order an axis -> float32 (channels, *shape). Where voxels become larger by a factor
    f, a Gaussian of deviation (f - 1) / 2 voxels comes first, against aliasing (orders 1 and 3). Nothing is done along
    axes that stay as they are. Linear and nearest keep sums of channels and the range of values.
    """
    found = np.array(image, np.float32)
    for order in (0, 1, 3):  # separable: each kind of axis by itself
        sides: tuple[int, ...] = tuple(
            new if own == order else old for old, new, own in zip(found.shape[1:], shape, orders, strict=True)
        )
        if sides == found.shape[1:]:
            continue
        if order == 0:
            found = nearest(found, (found.shape[0], *sides))
            continue
        blur = [max(0.0, (old / new - 1) / 2) for old, new in zip(found.shape[1:], sides, strict=True)]
        if any(blur):
            found = np.stack([ndimage.gaussian_filter(channel, blur, mode="nearest") for channel in found])
        found = _linear(found, sides) if order == 1 else _cubic(found, sides)
    return found


def resampled_mask(
    mask: npt.NDArray[np.integer], shape: Sequence[int], *, smooth: bool = True
) -> npt.NDArray[np.integer]:
    """Class ids on another grid of the same space.

    Shape: integers (*spatial) -> (*shape) of the same type; no id appears that was not there. `smooth`: each class
    linear, the one with the largest share wins (ties: the smaller id); otherwise the nearest voxel, which is quicker
    and leaves stairs.
    """
    if mask.shape == tuple(shape):
        return mask.copy()
    if not smooth:
        return nearest(mask, shape)
    best = np.full(tuple(shape), -1, np.float32)
    found = np.empty(tuple(shape), mask.dtype)
    linear: list[Order] = [1] * mask.ndim
    for label in np.unique(mask):
        share = resampled((mask == label)[None], shape, linear)[0]
        wins = share > best
        best[wins], found[wins] = share[wins], label
    return found


def nearest(array: npt.NDArray[Kind], shape: Sequence[int]) -> npt.NDArray[Kind]:
    """Each voxel of the new grid from the one whose space its centre lies in. Shape: any -> `shape`."""
    for axis, (old, new) in enumerate(zip(array.shape, shape, strict=True)):
        if old != new:
            array = array.take(((2 * np.arange(new) + 1) * old) // (2 * new), axis=axis)
    return array


def _linear(image: npt.NDArray[np.float32], sides: Sequence[int]) -> npt.NDArray[np.float32]:
    mode = LINEAR[len(sides)]
    given: Tensor = torch.from_numpy(image)[None]
    found: npt.NDArray[np.float32] = F.interpolate(given, size=tuple(sides), mode=mode, align_corners=False)[0].numpy()
    return found


def _cubic(image: npt.NDArray[np.float32], sides: Sequence[int]) -> npt.NDArray[np.float32]:
    factors = [new / old for old, new in zip(image.shape[1:], sides, strict=True)]
    return np.stack([ndimage.zoom(one, factors, order=3, mode="nearest", grid_mode=True) for one in image])
