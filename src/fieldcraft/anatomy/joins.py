"""Tensors that meet: element by element, side by side, or summed over dimensions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from fieldcraft.anatomy.phases import Phases
from fieldcraft.anatomy.sights import (
    BOUND,
    MOST_UNITS,
    Along,
    Array,
    Each,
    Exactness,
    Fixed,
    Shape,
    Sight,
    along,
    bound,
    compact_one,
    everything,
    fixed,
    hull_exactness,
    hull_of,
    least_exact,
    listed,
    moved,
    size_of,
    soft,
    tidied,
)

Policy = Literal["local", "full", "least"]
"""Norms over the map and global gates left out; with them; the smallest over all paths."""
Part = tuple[Sight | None, Shape]


def join(parts: Sequence[Part], shape: Shape, pixels: int, policy: Policy) -> Sight | None:
    """Tensors combined element by element, with broadcasting to `shape`."""
    seen = [(_broadcast(sight, own, shape, pixels), own) for sight, own in parts if sight is not None]
    sights = _without_gates([sight for sight, _ in seen if sight is not None], shape, policy)
    if len(sights) < 2:
        return sights[0] if sights else None
    if policy == "least":
        return min(sights, key=lambda one: size_of(one, shape, pixels))
    if all(one is sights[0] for one in sights):
        return sights[0]
    if any(isinstance(one, Each | Fixed) and one.softened for one in sights):
        return _softly(sights, shape, pixels, policy)
    exact = least_exact(sights)
    aligned = all(one.aligned for one in sights)
    whole = [one for one in sights if everything(one, pixels)]
    if whole:
        return Fixed(0, pixels - 1, all(isinstance(one, Fixed) and one.pooled for one in sights), exact, aligned)
    if all(isinstance(one, Along) for one in sights) and len({one.dim for one in sights}) == 1:  # type: ignore[union-attr]
        found = _paired([one for one in sights if isinstance(one, Along)], exact, aligned, shape, pixels)
        if found is not None:
            return found
        aligned = False
    low, high = listed(sights[0], shape, pixels)
    for one in sights[1:]:
        more = listed(one, shape, pixels)
        if np.broadcast(low, more[0]).size > MOST_UNITS:
            return bound(pixels)
        low, high = np.minimum(low, more[0]), np.maximum(high, more[1])
    return tidied(low, high, pixels, exact=exact, aligned=aligned)


def _softly(sights: Sequence[Sight], shape: Shape, pixels: int, policy: Policy) -> Sight | None:
    """Bounds over the last dimension stay such; the others are taken together along it, too."""
    sure = min(one.exact if isinstance(one, Along) else max(one.exact, one.softened) for one in sights)
    summed = [contracted(one, [len(shape) - 1], shape, pixels) for one in sights]
    return soft(join([(one, shape) for one in summed], shape, pixels, policy), softened=sure)


def _broadcast(sight: Sight | None, own: Shape, shape: Shape, pixels: int) -> Sight | None:
    """In the rank of the result; a map of one unit that is spread over a larger one is a gate."""
    spread = len(own) < len(shape) or any(a != b for a, b in zip(own, shape, strict=False))
    sight = moved(sight, len(shape) - len(own))
    if isinstance(sight, Along):
        before = own[sight.dim - (len(shape) - len(own))]
        if before == 1 and shape[sight.dim] > 1:
            return fixed(sight, (1,) * sight.dim + (1,) * (len(shape) - sight.dim), pixels, pooled=True)
    if isinstance(sight, Fixed) and spread:
        return replace(sight, pooled=True)
    return sight


def _without_gates(sights: list[Sight], shape: Shape, policy: Policy) -> list[Sight]:
    """Maps of several units do not count what was pooled to one."""
    if policy == "full" or not any(_is_map(one, shape) for one in sights):
        return sights
    return [one for one in sights if not (isinstance(one, Fixed) and one.pooled)]


def _is_map(sight: Sight | None, shape: Shape) -> bool:
    if isinstance(sight, Along):
        return shape[sight.dim] > 1
    return isinstance(sight, Each)


def _paired(sights: list[Along], exact: Exactness, aligned: bool, shape: Shape, pixels: int) -> Along | None:
    """Hull of each combination of palette entries that occurs; None where strides differ."""
    first = sights[0]
    for other in sights[1:]:
        palette: list[Phases | None] = []
        for one in first.palette:
            for more in other.palette:
                if one is None or more is None:
                    palette.append(one or more)
                    continue
                found = hull_of((one, more))
                if found is None:
                    return None
                palette.append(found[0])
                aligned = aligned and found[1]
                exact = min(exact, hull_exactness((one, more), shape[first.dim], pixels))
        labels: Array | None = None
        if first.labels is not None or other.labels is not None:
            ones = first.labels if first.labels is not None else np.int64(0)
            others = other.labels if other.labels is not None else np.int64(0)
            labels = np.asarray(ones * len(other.palette) + others)
        joined = along(first.dim, palette, labels, exact=exact, aligned=aligned)
        if joined is None:
            return None
        first = joined
    return first


def side_by_side(parts: Sequence[Part], dim: int, shape: Shape, pixels: int, policy: Policy) -> Sight | None:
    """Concatenation along `dim`."""
    if policy != "full" and any(_elsewhere(sight, dim) and _is_map(sight, own) for sight, own in parts):
        parts = [(None if isinstance(sight, Fixed) and sight.pooled else sight, own) for sight, own in parts]
    some = [sight for sight, _ in parts if sight is not None]
    if not some:
        return None
    axes = {one.dim for one in some if isinstance(one, Along)}
    if policy == "least" and dim not in axes and not any(isinstance(one, Each) for one in some):
        return min(some, key=lambda one: size_of(one, shape, pixels))
    exact, aligned = least_exact(some), all(one.aligned for one in some)
    if all(isinstance(one, Fixed) for one in some):
        if len({(one.low, one.high) for one in some}) == 1 and len(some) == len(parts):  # type: ignore[union-attr]
            return some[0]
    elif len(axes) == 1 and dim not in axes and not any(isinstance(one, Each) for one in some):
        return _labelled(parts, axes.pop(), dim, shape, exact, aligned)
    pieces = []
    for sight, own in parts:
        low, high = listed(sight, own, pixels)
        sides = list(low.shape)
        sides[dim] = own[dim]
        pieces.append((np.broadcast_to(low, sides), np.broadcast_to(high, sides)))
    sides = list(np.broadcast_shapes(*(_but(low.shape, dim) for low, _ in pieces)))
    if int(np.prod(sides)) * shape[dim] > MOST_UNITS:
        return bound(pixels)
    lows, highs = (
        np.concatenate([np.broadcast_to(one[end], _with(sides, dim, one[end].shape[dim])) for one in pieces], dim)
        for end in (0, 1)
    )
    return tidied(lows, highs, pixels, exact=exact, aligned=aligned)


def _elsewhere(sight: Sight | None, dim: int) -> bool:
    """It changes along dimensions other than this one only."""
    if isinstance(sight, Each):
        return bool(sight.low.shape[dim] == 1)
    return isinstance(sight, Along) and sight.dim != dim


def _but(shape: Shape, dim: int) -> Shape:
    return _with(shape, dim, 1)


def _with(shape: Sequence[int], dim: int, side: int) -> Shape:
    return (*shape[:dim], side, *shape[dim + 1 :])


def _labelled(
    parts: Sequence[Part], axis: int, dim: int, shape: Shape, exact: Exactness, aligned: bool
) -> Sight | None:
    """Every part keeps what it sees, told apart by its place along `dim`."""
    palette: list[Phases | None] = []
    pieces: list[Array] = []
    for sight, own in parts:
        labels = np.zeros((1,) * len(own), dtype=np.int64)
        if isinstance(sight, Along):
            labels = labels if sight.labels is None else sight.labels
            entries: tuple[Phases | None, ...] = sight.palette
        else:
            entries = (Phases((sight.low,), (sight.high,), 0) if isinstance(sight, Fixed) else None,)
        pieces.append(np.broadcast_to(labels + len(palette), _with(labels.shape, dim, own[dim])))
        palette += entries
    if len(dict.fromkeys(palette)) == 1:
        return along(axis, palette[:1], None, exact=exact, aligned=aligned)
    sides = np.broadcast_shapes(*(_but(one.shape, dim) for one in pieces))
    joined = np.concatenate([np.broadcast_to(one, _with(sides, dim, one.shape[dim])) for one in pieces], dim)
    return along(axis, palette, joined, exact=exact, aligned=aligned)


def contracted(
    sight: Sight | None, dims: Sequence[int], shape: Shape, pixels: int, *, pooled: bool = False
) -> Sight | None:
    """Summed over whole dimensions, which stay with size 1."""
    if isinstance(sight, Fixed | Each) and sight.softened and len(shape) - 1 in dims:
        sight = replace(sight, softened=BOUND, exact=sight.softened)
    if sight is None or isinstance(sight, Fixed):
        return sight
    if isinstance(sight, Along):
        if sight.dim not in dims:
            return _without_labels(sight, dims, shape, pixels)
        if sight.labels is None:
            return fixed(sight, shape, pixels, pooled=pooled)
    low, high = listed(sight, shape, pixels)
    sides = tuple(dims)
    return tidied(
        low.min(axis=sides, keepdims=True),
        high.max(axis=sides, keepdims=True),
        pixels,
        exact=sight.exact,
        aligned=sight.aligned,
        pooled=pooled,
    )


def _without_labels(sight: Along, dims: Sequence[int], shape: Shape, pixels: int) -> Sight | None:
    labels = sight.labels
    if labels is None or all(labels.shape[dim] == 1 for dim in dims):
        return sight
    rest = [dim for dim in range(labels.ndim) if dim not in dims]
    rows = labels.transpose([*rest, *dims]).reshape(*(labels.shape[dim] for dim in rest), -1)
    flat = rows.reshape(-1, rows.shape[-1])
    sets: dict[tuple[int, ...], int] = {}
    new = np.array([sets.setdefault(tuple(np.unique(row).tolist()), len(sets)) for row in flat], dtype=np.int64)
    palette: list[Phases | None] = []
    exact, aligned = sight.exact, sight.aligned
    for members in sets:
        entries = [sight.palette[label] for label in members]
        if all(one is None for one in entries):
            palette.append(None)
            continue
        found = hull_of(entries)
        if found is None:
            return _listed_without(sight, dims, shape, pixels)
        palette.append(found[0])
        aligned = aligned and found[1]
        exact = min(exact, hull_exactness(tuple(entries), shape[sight.dim], pixels))
    kept = new.reshape([labels.shape[dim] if dim in rest else 1 for dim in range(labels.ndim)])
    return along(sight.dim, palette, compact_one(kept), exact=exact, aligned=aligned)


def _listed_without(sight: Along, dims: Sequence[int], shape: Shape, pixels: int) -> Sight | None:
    """Branches of different strides: unit by unit."""
    whole = [one for one in sight.palette if one is not None and not one.step and one.lows[0] <= 0]
    if all(labelled_once(sight, dims)) and any(min(one.highs) >= pixels - 1 and max(one.lows) <= 0 for one in whole):
        return Fixed(0, pixels - 1, pooled=False, exact=sight.exact, aligned=False)
    low, high = listed(sight, shape, pixels)
    sides = tuple(dims)
    return tidied(
        low.min(axis=sides, keepdims=True),
        high.max(axis=sides, keepdims=True),
        pixels,
        exact=sight.exact,
        aligned=False,
    )


def labelled_once(sight: Along, dims: Sequence[int]) -> list[bool]:
    """Whether labels change along no dimension but these."""
    assert sight.labels is not None
    return [side == 1 or dim in dims for dim, side in enumerate(sight.labels.shape)]
