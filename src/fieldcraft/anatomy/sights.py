"""What the units of a tensor see along one axis of one input: the states that receptive fields are carried in.

`None` sees nothing, `Fixed` the same pixels everywhere, `Along` has one dimension that carries the axis, `Each` lists
every unit. Intervals of `Along` may lie outside of the input; those of the others are clipped to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fieldcraft.anatomy.phases import EMPTY, Phases, hull, reduced

Array = NDArray[np.int64]
MOST_UNITS = 2**22
"""Intervals that are listed one by one; beyond it a bound is given."""
REMEMBERED = 2**14
"""Intervals up to which a state is looked for among the last ones."""
LONGEST_PERIOD = 256
"""Units after which a repetition is looked for."""


class Exactness(IntEnum):
    """How far a state is to be believed; what is made of several states is as exact as the least of them."""

    BOUND = 0
    """Units see no more than that."""
    INSIDE = 1
    """Units that the input's border does not cut see just that; the others no more."""
    EVERYWHERE = 2
    """All units see just that, as far as it lies inside of the input; units that are padding only see nothing."""


BOUND, INSIDE, EVERYWHERE = Exactness


def least_exact(sights: Iterable["Sight | None"]) -> Exactness:
    """Of several states; what sees nothing is exact."""
    return min((sight.exact for sight in sights if sight is not None), default=EVERYWHERE)


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """All units see pixels `low` to `high`."""

    low: int
    high: int
    pooled: bool
    """It comes from a map that was pooled to one unit, and may gate another one."""
    exact: Exactness = EVERYWHERE
    aligned: bool = True
    softened: Exactness = BOUND
    """A bound only because all units along the last dimension were taken together: so exact once these are summed."""


@dataclass(frozen=True, slots=True, eq=False)
class Along:
    """Unit `j` along `dim` sees what the phases say."""

    dim: int
    palette: tuple[Phases | None, ...]
    labels: Array | None = None
    """Which of the palette, where that depends on the other dimensions: size 1 along those that do not matter."""
    exact: Exactness = EVERYWHERE
    aligned: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Each:
    """Intervals for all units: size 1 along dimensions that do not matter."""

    low: Array
    high: Array
    exact: Exactness = EVERYWHERE
    aligned: bool = True
    softened: Exactness = BOUND
    """As above."""


Sight = Fixed | Along | Each
Shape = tuple[int, ...]


def bound(pixels: int) -> Fixed:
    """Nothing is known."""
    return Fixed(0, pixels - 1, pooled=False, exact=BOUND)


def everything(sight: Sight | None, pixels: int) -> bool:
    """All units see the whole axis."""
    return isinstance(sight, Fixed) and sight.low <= 0 and sight.high >= pixels - 1


def along(
    dim: int, palette: Sequence[Phases | None], labels: Array | None, *, exact: Exactness, aligned: bool
) -> Along | None:
    """With each of the palette once, and labels only where they tell something apart."""
    if labels is None:
        assert len(palette) == 1
        return Along(dim, (palette[0],), None, exact, aligned) if palette[0] is not None else None
    kept = tuple(dict.fromkeys(palette[label] for label in np.unique(labels).tolist()))
    if len(kept) == 1:
        return along(dim, kept, None, exact=exact, aligned=aligned)
    new = np.array([kept.index(one) if one in kept else 0 for one in palette], dtype=np.int64)
    return Along(dim, kept, compact_one(new[labels]), exact, aligned)


def compact_one(values: Array) -> Array:
    """Size 1 along every dimension where nothing changes."""
    for dim in range(values.ndim):
        if values.shape[dim] > 1:
            first = values[(slice(None),) * dim + (slice(0, 1),)]
            if values.strides[dim] == 0 or (values == first).all():
                values = first
    return values


def tidied(
    low: Array, high: Array, pixels: int, *, exact: Exactness, aligned: bool, pooled: bool = False
) -> Sight | None:
    """The plainest state that says the same."""
    if low.size > MOST_UNITS:
        return bound(pixels)
    low, high = _compacted(low, high)
    if low.size > REMEMBERED:
        return _plainest(low, high, exact, aligned, pooled)
    same = (np.ascontiguousarray(one, dtype=np.int64).tobytes() for one in (low, high))
    return _remembered(*same, low.shape, exact, aligned, pooled)


@lru_cache(maxsize=512)
def _remembered(low: bytes, high: bytes, shape: Shape, exact: Exactness, aligned: bool, pooled: bool) -> Sight | None:
    """The same numbers come back for every block of a network: they are looked at, and kept, once."""
    first, last = (np.frombuffer(one, dtype=np.int64).reshape(shape) for one in (low, high))
    return _plainest(first, last, exact, aligned, pooled)


def _plainest(low: Array, high: Array, exact: Exactness, aligned: bool, pooled: bool) -> Sight | None:
    if low.size == 1:
        first, last = int(low.flat[0]), int(high.flat[0])
        return Fixed(first, last, pooled, exact, aligned) if first <= last else None
    moving = repeating(low, high)
    if moving is not None:
        return Along(moving[0], (moving[1],), None, exact, aligned)
    return Each(low, high, exact, aligned)


def repeating(low: Array, high: Array) -> tuple[int, Phases] | None:
    """The only dimension along which something changes, and how it repeats."""
    low, high = _compacted(low, high)
    varying = [dim for dim in range(low.ndim) if low.shape[dim] > 1]
    phases = _repeating(low.reshape(-1), high.reshape(-1)) if len(varying) == 1 else None
    return None if phases is None else (varying[0], phases)


def _compacted(low: Array, high: Array) -> tuple[Array, Array]:
    for dim in range(low.ndim):
        if low.shape[dim] > 1:
            at = (slice(None),) * dim + (slice(0, 1),)
            if (low == low[at]).all() and (high == high[at]).all():
                low, high = low[at], high[at]
    return low, high


def _repeating(low: Array, high: Array) -> Phases | None:
    period = period_of(np.stack([low, high]), LONGEST_PERIOD)
    if period is None or high[period] - high[0] != low[period] - low[0]:
        return None
    step = int(low[period] - low[0])
    return reduced(Phases(tuple(low[:period].tolist()), tuple(high[:period].tolist()), step))


def period_of(rows: Array, longest: int) -> int | None:
    """The shortest period after which all rows repeat with a shift of their own, seen at least twice."""
    moves = np.diff(rows, axis=-1)
    count = moves.shape[-1]
    periods = np.arange(1, min((count + 1) // 2, longest) + 1)
    odd = np.flatnonzero((moves != moves[:, :1]).any(axis=0))  # most moves are alike: these tell
    telling = odd[odd < max(1, count - len(periods))]
    probes = telling[np.linspace(0, len(telling) - 1, 16).astype(np.int64)] if len(telling) else np.zeros(1, np.int64)
    later = probes[None, :] + periods[:, None]
    alike = moves[:, np.minimum(later, count - 1)] == moves[:, probes][:, None, :]
    hopeful = (alike | (later >= count)).all(axis=(0, 2))
    for period in periods[hopeful].tolist():
        if (moves[:, period:] == moves[:, :-period]).all():
            return int(period)
    return None


def listed(sight: Sight | None, shape: Shape, pixels: int) -> tuple[Array, Array]:
    """Intervals clipped to the input, size 1 along dimensions that do not matter."""
    rank = len(shape)
    if sight is None:
        return np.full((1,) * rank, EMPTY), np.full((1,) * rank, -EMPTY)
    if isinstance(sight, Fixed):
        return np.full((1,) * rank, sight.low), np.full((1,) * rank, sight.high)
    if isinstance(sight, Each):
        return sight.low, sight.high
    sides = [1] * rank
    sides[sight.dim] = shape[sight.dim]
    rows = [evaluated(one, shape[sight.dim], pixels) for one in sight.palette]
    if sight.labels is None:
        return rows[0][0].reshape(sides), rows[0][1].reshape(sides)
    labels = np.moveaxis(sight.labels, sight.dim, -1)[..., 0]
    low, high = (np.stack([row[end] for row in rows])[labels] for end in (0, 1))
    return np.moveaxis(low, -1, sight.dim), np.moveaxis(high, -1, sight.dim)


def evaluated(phases: Phases | None, units: int, pixels: int) -> tuple[Array, Array]:
    """Intervals of so many units, clipped to the input."""
    return clipped(*unclipped(phases, units), pixels)


def unclipped(phases: Phases | None, units: int) -> tuple[Array, Array]:
    """Intervals of so many units, inside of the input or not."""
    if phases is None:
        return np.full(units, EMPTY), np.full(units, -EMPTY)
    turns, phase = np.divmod(np.arange(units), phases.period)
    return np.array(phases.lows)[phase] + turns * phases.step, np.array(phases.highs)[phase] + turns * phases.step


def clipped(low: Array, high: Array, pixels: int) -> tuple[Array, Array]:
    """Pixels of the input."""
    low, high = np.maximum(low, 0), np.minimum(high, pixels - 1)
    return np.where(low > high, EMPTY, low), np.where(low > high, -EMPTY, high)


def soft(sight: Sight | None, *, softened: Exactness) -> Sight | None:
    """A bound that becomes exact when the last dimension is summed over."""
    return replace(sight, softened=softened, exact=BOUND) if isinstance(sight, Fixed | Each) else sight


def span(sight: Sight | None, shape: Shape, pixels: int) -> tuple[int, int]:
    """First and last pixel that any unit sees."""
    if isinstance(sight, Fixed):
        return sight.low, sight.high
    low, high = listed(sight, shape, pixels)
    return int(low.min()), int(high.max())


def fixed(sight: Sight | None, shape: Shape, pixels: int, *, pooled: bool) -> Sight | None:
    """All units together."""
    if sight is None or isinstance(sight, Fixed):
        return sight
    low, high = span(sight, shape, pixels)
    return Fixed(low, high, pooled, sight.exact, sight.aligned) if low <= high else None


def merged(sight: Along) -> Along | None:
    """One entry for the whole palette; None where their strides differ."""
    if len(sight.palette) == 1:
        return sight
    found = hull_of(sight.palette)
    return None if found is None else Along(sight.dim, (found[0],), None, sight.exact, sight.aligned and found[1])


def hull_of(palette: Sequence[Phases | None]) -> tuple[Phases, bool] | None:
    """Hull of the entries that see something, and whether they are aligned; None where their strides differ."""
    return _hull_of(tuple(dict.fromkeys(palette)))


@lru_cache(maxsize=4096)
def _hull_of(palette: tuple[Phases | None, ...]) -> tuple[Phases, bool] | None:
    some = [one for one in palette if one is not None]
    joined: Phases | None = some[0]
    for one in some[1:]:
        joined = hull(joined, one) if joined is not None else None
    if joined is None:
        return None
    return joined, all(one.stride == some[0].stride and one.centre == some[0].centre for one in some)


@lru_cache(maxsize=4096)
def hull_exactness(members: tuple[Phases | None, ...], units: int, pixels: int) -> Exactness:
    """Of the hull of several entries: where some of them lie outside of the input, it may reach over a gap."""
    found = hull_of(members) if any(members) else None
    if found is None:
        return EVERYWHERE
    ends = [evaluated(one, units, pixels) for one in members]
    low, high = np.min([first for first, _ in ends], axis=0), np.max([last for _, last in ends], axis=0)
    said = evaluated(found[0], units, pixels)
    return EVERYWHERE if (said[0] == low).all() and (said[1] == high).all() else INSIDE


def size_of(sight: Sight, shape: Shape, pixels: int) -> int:
    """The largest number of pixels that a unit sees."""
    if isinstance(sight, Fixed):
        return sight.high - sight.low + 1
    if isinstance(sight, Along):
        units = shape[sight.dim]
        one = merged(sight)
        if one is not None and one.palette[0] is not None:
            return max(one.palette[0].sizes(units), default=0)
    low, high = listed(sight, shape, pixels)
    return max(0, int((high - low).max()) + 1)


def moved(sight: Sight | None, change: int) -> Sight | None:
    """With so many more (or fewer) dimensions of size 1 in front."""
    if sight is None or isinstance(sight, Fixed) or not change:
        return sight

    def reranked(values: Array) -> Array:
        return values.reshape((1,) * change + values.shape if change > 0 else values.shape[-change:])

    if isinstance(sight, Along):
        labels = None if sight.labels is None else reranked(sight.labels)
        return replace(sight, dim=sight.dim + change, labels=labels)
    return replace(sight, low=reranked(sight.low), high=reranked(sight.high))
