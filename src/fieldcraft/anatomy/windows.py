"""Sights through layers that read windows: convolutions, pools, resizing, padding, slices, along single dimensions."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fieldcraft.anatomy.phases import EMPTY, Phases, Taps, compose, reach
from fieldcraft.anatomy.sights import (
    BOUND,
    EVERYWHERE,
    INSIDE,
    Along,
    Array,
    Each,
    Exactness,
    Fixed,
    Shape,
    Sight,
    along,
    evaluated,
    listed,
    tidied,
    unclipped,
)


def through(sight: Sight | None, dim: int, taps: Taps, before: Shape, after: int, pixels: int) -> Sight | None:
    """What `after` units along `dim` see that read units of a tensor of shape `before`."""
    if sight is None:
        return None
    if isinstance(sight, Along) and sight.dim == dim:
        return _phases(sight, taps, before, after, pixels)
    if isinstance(sight, Fixed) or (
        isinstance(sight, Along) and (sight.labels is None or sight.labels.shape[dim] == 1)
    ):
        return sight if _reads_something(taps, before[dim], after) else bounded(sight)
    if isinstance(sight, Along):
        sight = Each(*listed(sight, before, pixels), sight.exact, sight.aligned)
    if sight.low.shape[dim] == 1:
        return sight if _reads_something(taps, before[dim], after) else bounded(sight)
    low, high = _each(sight.low, sight.high, dim, taps, before[dim], after)
    return tidied(low, high, pixels, exact=sight.exact, aligned=sight.aligned)


@lru_cache(maxsize=4096)
def _reads_something(taps: Taps, before: int, after: int) -> bool:
    """Not all units lie wholly in the padding."""
    low, high = reach(taps, after)
    if taps.clamped or (low >= 0 and high < before and all(taps.counts)):
        return True
    reads = ((first, count) for first, count in map(taps.at, range(after)))
    return any(any(0 <= first + tap * taps.dilation < before for tap in range(count)) for first, count in reads)


def _phases(sight: Along, taps: Taps, before: Shape, after: int, pixels: int) -> Sight | None:
    exact, palette = sight.exact, list[Phases | None]()
    for one in sight.palette:
        made = None if one is None else compose(one, taps)
        if one is not None and made is None:  # the period got too long
            if sight.labels is None:
                return _unit_by_unit(one, sight.dim, taps, before, after, pixels, exact, sight.aligned)
            low, high = listed(sight, before, pixels)
            seen = _each(low, high, sight.dim, taps, before[sight.dim], after)
            return tidied(*seen, pixels, exact=exact, aligned=sight.aligned)
        if one is not None and exact:
            exact = min(exact, _exactness(one, taps, before[sight.dim], after, pixels))
        palette.append(made)
    return along(sight.dim, palette, sight.labels, exact=exact, aligned=sight.aligned)


@lru_cache(maxsize=16)
def _unit_by_unit(
    one: Phases, dim: int, taps: Taps, before: Shape, after: int, pixels: int, exact: Exactness, aligned: bool
) -> Sight | None:
    """The same long lists come back for every block of a network: they are made once."""
    low, high = listed(Along(dim, (one,)), before, pixels)
    return tidied(*_each(low, high, dim, taps, before[dim], after), pixels, exact=exact, aligned=aligned)


@lru_cache(maxsize=4096)
def _exactness(seen: Phases, taps: Taps, before: int, after: int, pixels: int) -> Exactness:
    """Whether units see all of their interval although the map has borders, and taps in the padding see nothing."""
    made, (lows, highs) = compose(seen, taps), evaluated(seen, before, pixels)
    if made is None:
        return BOUND
    low, high = reach(taps, after)
    if low >= 0 and high < before and (lows <= highs).all():
        return EVERYWHERE
    low_truth, high_truth = _each(lows, highs, 0, taps, before, after)
    low_said, high_said = evaluated(made, after, pixels)
    right: NDArray[np.bool_] = (low_truth == low_said) & (high_truth == high_said)
    first, last = unclipped(made, after)
    inside = (first <= last) & (first >= 0) & (last < pixels)
    return EVERYWHERE if right.all() else INSIDE if right[inside].all() else BOUND


def _each(low: Array, high: Array, dim: int, taps: Taps, before: int, after: int) -> tuple[Array, Array]:
    """Unit by unit; beyond the map there is nothing, or its last unit."""
    turns, phase = np.divmod(np.arange(after), len(taps.firsts))
    firsts, counts = np.array(taps.firsts)[phase] + turns * taps.step, np.array(taps.counts)[phase]
    lows = np.full(_with(low.shape, dim, after), EMPTY)
    highs = np.full(lows.shape, -EMPTY)
    for tap in range(int(counts.max(initial=0))):
        units = firsts + tap * taps.dilation
        valid = tap < counts
        if not taps.clamped:
            valid &= (units >= 0) & (units < before)
        units = np.clip(units, 0, before - 1)
        shown = valid.reshape([-1 if place == dim else 1 for place in range(low.ndim)])
        lows = np.minimum(lows, np.where(shown, np.take(low, units, dim), EMPTY))
        highs = np.maximum(highs, np.where(shown, np.take(high, units, dim), -EMPTY))
    return lows, highs


def _with(shape: Sequence[int], dim: int, side: int) -> Shape:
    return (*shape[:dim], side, *shape[dim + 1 :])


def taken(sight: Sight | None, dim: int, units: Array, before: Shape, pixels: int) -> Sight | None:
    """Units of a dimension in any order (reflected padding, rolling); clipped to the input."""
    if sight is None or isinstance(sight, Fixed):
        return sight
    if isinstance(sight, Along) and sight.dim != dim:
        if sight.labels is None or sight.labels.shape[dim] == 1:
            return sight
        return along(
            sight.dim, sight.palette, np.take(sight.labels, units, dim), exact=sight.exact, aligned=sight.aligned
        )
    low, high = listed(sight, before, pixels)
    if low.shape[dim] == 1:
        return sight
    taken_low, taken_high = np.take(low, units, dim), np.take(high, units, dim)
    return tidied(taken_low, taken_high, pixels, exact=sight.exact, aligned=sight.aligned)


def bounded(sight: Sight | None) -> Sight | None:
    """The same, no longer said to be exact."""
    return None if sight is None else replace(sight, exact=BOUND)
