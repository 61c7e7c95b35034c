"""A box cut from an array, also where it reaches beyond the border."""

from collections.abc import Sequence
from types import EllipsisType
from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", bound=np.generic)
Padding = Literal["constant", "edge", "reflect"]
"""What lies beyond the border: one value, the last voxel, or what is inside, mirrored (the last voxel not repeated)."""


def cut(
    array: npt.NDArray[np.generic],
    start: Sequence[int],
    size: Sequence[int],
    *,
    dtype: type[Number],
    padding: Padding = "constant",
    value: npt.ArrayLike = 0,
) -> npt.NDArray[Number]:
    """The box from `start` on of `size` voxels along the last axes, as a new array.

    Shape: (..., *spatial) -> (..., *size); `value` is broadcast to it. `start` may be negative, and the box may end
    beyond the array or lie beside it. Of a mapped file only the voxels that are needed are read.
    """
    lead = array.ndim - len(size)
    if padding != "constant":
        places = [_seen(first, wide, length, padding)
                  for first, wide, length in zip(start, size, array.shape[lead:], strict=True)]  # fmt: skip
        needed = [slice(int(one.min()), int(one.max()) + 1) for one in places]
        box: npt.NDArray[Number] = np.array(array[_last(needed)], dtype)
        for axis, (one, part) in enumerate(zip(places, needed, strict=True), start=lead):
            if len(one) != box.shape[axis] or one[0] != part.start or one[-1] != part.stop - 1:
                box = box.take(one - part.start, axis=axis)
        return box
    low = [min(max(0, first), length) for first, length in zip(start, array.shape[lead:], strict=True)]
    high = [
        max(least, min(first + wide, length))
        for least, first, wide, length in zip(low, start, size, array.shape[lead:], strict=True)
    ]
    inside = array[_last([slice(*ends) for ends in zip(low, high, strict=True)])]
    if inside.shape[lead:] == tuple(size):
        return np.array(inside, dtype)
    box = np.empty((*array.shape[:lead], *size), dtype)
    box[...] = value
    if inside.size:
        to = [slice(least - first, most - first) for least, most, first in zip(low, high, start, strict=True)]
        box[_last(to)] = inside
    return box


def _last(slices: Sequence[slice]) -> tuple[EllipsisType | slice, ...]:
    """Slices of the last axes."""
    return (..., *slices)


def _seen(first: int, wide: int, length: int, padding: Padding) -> npt.NDArray[np.int64]:
    """For each of `wide` places from `first` on the place inside that is seen there."""
    places = np.arange(first, first + wide)
    if padding == "edge":
        return places.clip(0, length - 1)
    period = max(2 * (length - 1), 1)
    forth = places % period
    return np.minimum(forth, period - forth)
