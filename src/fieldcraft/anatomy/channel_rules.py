"""What convolutions see: channels that meet or stay apart, then a window along each axis."""

import numpy as np

from fieldcraft.anatomy.joins import contracted
from fieldcraft.anatomy.phases import transposed, window
from fieldcraft.anatomy.scene import Here, Result
from fieldcraft.anatomy.sights import Along, Each, Fixed, Shape, Sight, along, fixed, listed, tidied
from fieldcraft.anatomy.windows import through
from fieldcraft.records.operations import (
    Convolution,
)


def convolution(here: Here, operation: Convolution) -> Result:
    """A convolution, or its transpose; its filters may depend on the input, too."""
    given = here.given
    sight, before = here.part(given.get("input", given.get("self")))
    seen = _mixed_channels(sight, before, here.after, operation.groups, here.pixels)
    middle = (before[0], here.after[1], *before[2:])
    for axis in range(len(operation.kernel)):
        dim, window_of = axis + 2, transposed if operation.transposed else window
        taps = window_of(
            operation.kernel[axis], operation.stride[axis], operation.padding[axis], operation.dilation[axis]
        )
        seen = through(seen, dim, taps, middle, here.after[dim], here.pixels)
        middle = (*middle[:dim], here.after[dim], *middle[dim + 1 :])
    weight = here.part(given.get("weight"))
    if weight[0] is None:
        return seen
    whole = fixed(weight[0], weight[1], here.pixels, pooled=isinstance(weight[0], Fixed) and weight[0].pooled)
    return here.joined([(seen, here.after), (whole, (1,) * len(here.after))])


def _mixed_channels(sight: Sight | None, before: Shape, after: Shape, groups: int, pixels: int) -> Sight | None:
    """Each group of channels out reads its group of channels in."""
    if groups == 1:
        return contracted(sight, [1], before, pixels)
    if sight is None or isinstance(sight, Fixed):
        return sight
    if isinstance(sight, Along) and sight.dim != 1 and (sight.labels is None or sight.labels.shape[1] == 1):
        return sight
    if isinstance(sight, Each) and sight.low.shape[1] == 1:
        return sight
    inner, repeats = before[1] // groups, after[1] // groups
    split = (before[0], groups, inner, *before[2:])
    if isinstance(sight, Along) and sight.dim != 1:
        assert sight.labels is not None
        labels = sight.labels.reshape(sight.labels.shape[0], groups, inner, *sight.labels.shape[2:])
        apart: Sight | None = Along(sight.dim + 1, sight.palette, labels, sight.exact, sight.aligned)
    else:
        low, high = (one.reshape(one.shape[0], groups, inner, *one.shape[2:]) for one in listed(sight, before, pixels))
        apart = Each(low, high, sight.exact, sight.aligned)
    return _ungrouped(contracted(apart, [2], split, pixels), groups, repeats, split, pixels)


def _ungrouped(sight: Sight | None, groups: int, repeats: int, split: Shape, pixels: int) -> Sight | None:
    if sight is None or isinstance(sight, Fixed):
        return sight
    if isinstance(sight, Along) and sight.dim > 2:
        labels = None
        if sight.labels is not None:
            whole = np.broadcast_to(sight.labels, (sight.labels.shape[0], groups, *sight.labels.shape[2:]))
            labels = np.repeat(whole[:, :, 0], repeats, axis=1)
        return along(sight.dim - 1, sight.palette, labels, exact=sight.exact, aligned=sight.aligned)
    low, high = listed(sight, (split[0], groups, 1, *split[3:]), pixels)
    wide = (low.shape[0], groups, *low.shape[2:])
    lows, highs = (np.repeat(np.broadcast_to(one, wide)[:, :, 0], repeats, axis=1) for one in (low, high))
    return tidied(lows, highs, pixels, exact=sight.exact, aligned=sight.aligned)
