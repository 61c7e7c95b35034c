"""How a patch shrinks until it fits into memory: whole strides at a time, first where it exceeds the objects most."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil

Patch = tuple[int, ...]


def shrinking(
    patch: Sequence[int], *, stride: Sequence[int], extent: Sequence[float], least: Sequence[int]
) -> Iterator[Patch]:
    """The patch as it is, then ever smaller ones, down to `least`.

    Each step takes the axis whose side is the largest multiple of the objects' extent (ties: the longer side, then the
    first axis) and shortens it to the next smaller multiple of the network's total stride. All in voxels, one number an
    axis; an axis never falls below `least`, nor below one stride, and none grows.
    """  # fmt: skip
    now = tuple(patch)
    floor = tuple(max(stop, step) for stop, step in zip(least, stride, strict=True))
    yield now
    while True:
        smaller = tuple((ceil(side / step) - 1) * step for side, step in zip(now, stride, strict=True))
        free = [axis for axis, side in enumerate(smaller) if side >= floor[axis]]
        if not free:
            return
        axis = max(free, key=lambda one: (now[one] / extent[one], now[one], -one))
        now = (*now[:axis], smaller[axis], *now[axis + 1 :])
        yield now


def fitting(
    patch: Sequence[int],
    fits: Callable[[Patch], bool],
    *,
    stride: Sequence[int],
    extent: Sequence[float],
    least: Sequence[int] = (),
) -> Patch | None:
    """The first of `shrinking` that fits; None when even the smallest does not.

    `extent`: of the objects to be found, above 0. `least`: empty is one stride; instance norm needs two voxels in the
    deepest map, so twice the stride along some axis. `fits` is asked once for each candidate, the largest first.
    Raises: ValueError when numbers of axes differ, or one is not above 0.
    """
    least = tuple(least) or tuple(stride)
    for name, given in (("stride", stride), ("extent", extent), ("least", least), ("patch", patch)):
        if len(given) != len(patch) or not all(one > 0 for one in given):
            raise ValueError(f"`{name}` must have one number above 0 for each of {len(patch)} axes, but got {given}.")
    every = shrinking(patch, stride=stride, extent=extent, least=least)
    return next((one for one in every if fits(one)), None)
