"""What pools, resizing and padding see."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from fieldcraft.anatomy.joins import contracted
from fieldcraft.anatomy.phases import Taps, adaptive, resized, window
from fieldcraft.anatomy.scene import Here, Result, first_of
from fieldcraft.anatomy.sights import Along, Shape, Sight
from fieldcraft.anatomy.windows import taken, through
from fieldcraft.records.operations import (
    AdaptivePool,
    Pad,
    Pool,
    Resize,
)


def windows(here: Here, sight: Sight | None, before: Shape, taps: Sequence[Taps]) -> Sight | None:
    """A window along each of the last dimensions."""
    for dim, one in enumerate(taps, start=len(before) - len(taps)):
        sight = through(sight, dim, one, before, here.after[dim], here.pixels)
        before = (*before[:dim], here.after[dim], *before[dim + 1 :])
    return sight


def pool(here: Here, operation: Pool) -> Result:
    """Pooling of a window."""
    per_axis = zip(operation.kernel, operation.stride, operation.padding, operation.dilation, strict=True)
    return windows(here, *first_of(here), [window(*one) for one in per_axis])


def adaptive_pool(here: Here, operation: AdaptivePool) -> Result:
    """Pooling to a size; to one unit is a sum over the whole."""
    sight, before = first_of(here)
    start = len(before) - len(operation.size)
    globally = [dim for dim in range(start, len(before)) if here.after[dim] == 1]
    if isinstance(sight, Along) and sight.dim in globally:
        return contracted(sight, globally, before, here.pixels, pooled=True)
    return windows(here, sight, before, [adaptive(before[dim], here.after[dim]) for dim in range(start, len(before))])


def resize(here: Here, operation: Resize) -> Result:
    """Interpolation."""
    sight, before = first_of(here)
    given, axes = here.given, len(operation.before)
    factors = given.get("scale_factors") or [
        given.get(name) for name in (("scales",) if axes == 1 else ("scales_d", "scales_h", "scales_w")[-axes:])
    ]
    scales = [_scale(operation, place, factor) for place, factor in enumerate(factors)]
    if operation.mode == "nearest-exact" or operation.mode == "nearest":
        taps = [
            _checked_nearest(operation.mode, scale, *sides)
            for scale, sides in zip(scales, zip(operation.before, operation.after, strict=True), strict=True)
        ]
    else:
        taps = [
            resized(operation.mode, one, corners=operation.align_corners, antialias=operation.antialias)
            for one in scales
        ]
    return windows(here, sight, before, taps)


def _scale(operation: Resize, place: int, factor: float | None) -> Fraction:
    before, after = operation.before[place], operation.after[place]
    if operation.align_corners:
        return Fraction(before - 1, after - 1) if after > 1 else Fraction(0)
    if factor:
        return 1 / Fraction(factor).limit_denominator(10_000)
    return Fraction(before, after)


def _checked_nearest(mode: str, scale: Fraction, before: int, after: int) -> Taps:
    """PyTorch rounds in single precision; where that moves a pixel, every unit is written down."""
    exact = resized(mode, scale)
    half = np.float32(0.5 if mode == "nearest-exact" else 0)
    units = np.arange(after, dtype=np.float32)
    torch_says = np.floor((units + half) * np.float32(float(scale))).astype(np.int64)
    if all(exact.at(unit)[0] == said for unit, said in enumerate(torch_says.tolist())):
        return exact
    return Taps(tuple(np.minimum(torch_says, before - 1).tolist()), (1,) * after, before, clamped=True)


def pad(here: Here, operation: Pad) -> Result:
    """Padding; what is reflected or repeated counts as lying outside."""
    sight, before = first_of(here)
    for dim, margins in enumerate(
        zip(operation.before, operation.after, strict=True), len(before) - len(operation.before)
    ):
        if not any(margins):
            continue
        after = before[dim] + sum(margins)
        if operation.mode in ("constant", "reflect", "replicate"):
            sight = through(sight, dim, Taps((-margins[0],), (1,), 1), before, after, here.pixels)
        else:
            units = np.arange(-margins[0], before[dim] + margins[1]) % before[dim]
            sight = taken(sight, dim, units, before, here.pixels)
        before = (*before[:dim], after, *before[dim + 1 :])
    return sight
