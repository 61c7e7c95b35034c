"""Writing through a view: what other views of the same numbers see afterwards."""

from collections.abc import Sequence
from functools import lru_cache
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fieldcraft.anatomy.capture import Capture, Event
from fieldcraft.anatomy.sights import Fixed, Shape, Sight, bound, least_exact, listed, tidied

LARGEST = 2**20
Cells = NDArray[np.int64]


def overlaid(parts: Sequence[tuple[Sight | None, Shape]], event: Event, capture: Capture, pixels: int) -> Sight | None:
    """The first tensor after the second one, a view of the same storage, was written to."""
    (old, _), (new, _) = parts
    old_value, new_value = (capture.values[value].tensor for value in event.refs())
    if old is None and new is None:
        return None
    if _place(old_value) == _place(new_value):
        return new
    if isinstance(old, Fixed) and isinstance(new, Fixed) and (old.low, old.high) == (new.low, new.high):
        return old
    some = [one for one in (old, new) if one is not None]
    exact, aligned = least_exact(some), all(one.aligned for one in some)
    region = _region(old_value, new_value)
    if region is not None and old_value.numel() <= LARGEST:
        low, high = (
            _written(before, after, region, tuple(old_value.shape))
            for before, after in zip(
                listed(old, tuple(old_value.shape), pixels), listed(new, tuple(new_value.shape), pixels), strict=True
            )
        )
        return tidied(low, high, pixels, exact=exact, aligned=aligned)
    cells = _cells(old_value), _cells(new_value)
    if cells[0] is None or cells[1] is None:
        return bound(pixels)
    size = int(max(cells[0].max(), cells[1].max())) + 1
    if size > LARGEST:
        return bound(pixels)
    ends = []
    for end in (0, 1):
        storage = np.zeros(size, dtype=np.int64)
        for sight, tensor, cell in ((old, old_value, cells[0]), (new, new_value, cells[1])):
            storage[cell] = np.broadcast_to(listed(sight, tuple(tensor.shape), pixels)[end], tensor.shape)
        ends.append(storage[cells[0]])
    return tidied(ends[0], ends[1], pixels, exact=exact, aligned=aligned)


def _region(old: Tensor, new: Tensor) -> tuple[slice, ...] | None:
    """Where the new view lies in the old one, when it is a block of it with the same dimensions."""
    if old.dim() != new.dim() or old.stride() != new.stride() or not old.is_contiguous() or not new.numel():
        return None
    away, starts = new.storage_offset() - old.storage_offset(), []
    for step in old.stride():
        starts.append(away // step)
        away -= starts[-1] * step
    found = tuple(slice(start, start + side) for start, side in zip(starts, new.shape, strict=True))
    inside = all(part.start >= 0 and part.stop <= side for part, side in zip(found, old.shape, strict=True))
    return found if inside and away == 0 else None


def _written(before: Cells, after: Cells, region: tuple[slice, ...], shape: Shape) -> Cells:
    """The intervals before, with those after in the region; size 1 along dimensions that matter to neither."""
    whole = [part.stop - part.start == side for part, side in zip(region, shape, strict=True)]
    plain = [all_of and one == other == 1 for all_of, one, other in zip(whole, before.shape, after.shape, strict=True)]
    sides = tuple(1 if is_plain else side for is_plain, side in zip(plain, shape, strict=True))
    made = np.broadcast_to(before, sides).copy()
    made[tuple(slice(None) if is_plain else part for is_plain, part in zip(plain, region, strict=True))] = after
    return made


def _place(tensor: Tensor) -> tuple[object, ...]:
    return tuple(tensor.shape), tensor.stride(), tensor.storage_offset()


def _cells(tensor: Tensor) -> Cells | None:
    """Places in the storage."""
    return _cells_of(tuple(tensor.shape), tensor.stride(), tensor.storage_offset())


@lru_cache(maxsize=16)
def _cells_of(shape: Shape, strides: tuple[int, ...], offset: int) -> Cells | None:
    numbers = prod(shape)
    last = offset + sum((side - 1) * step for side, step in zip(shape, strides, strict=True))
    if not 0 < numbers <= LARGEST or last >= LARGEST:
        return None
    return torch.arange(last + 1).as_strided(shape, strides, offset).numpy()
