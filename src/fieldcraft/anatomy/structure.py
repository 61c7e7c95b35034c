"""Sights through operations that only move numbers: the operation itself is run on numbers that say where they were.

So views, permutations, windows, shuffles, splits and repetitions are exact without a rule for each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fieldcraft.anatomy.capture import Event, Ref
from fieldcraft.anatomy.phases import Taps
from fieldcraft.anatomy.sights import (
    BOUND,
    MOST_UNITS,
    Along,
    Array,
    Each,
    Fixed,
    Shape,
    Sight,
    bound,
    clipped,
    compact_one,
    period_of,
    repeating,
    soft,
    tidied,
    unclipped,
)
from fieldcraft.anatomy.windows import through

MOVES = frozenset(
    "view _unsafe_view reshape permute transpose t unsqueeze squeeze expand slice select split split_with_sizes chunk "
    "unsafe_split unsafe_chunk unsafe_split_with_sizes unbind flip roll narrow repeat pixel_shuffle pixel_unshuffle "
    "unfold diagonal repeat_interleave channel_shuffle native_channel_shuffle movedim swapaxes view_copy "
    "_reshape_alias tile squeeze_copy _reshape_copy unfold_copy diagonal_copy".split()
)
SAME_ORDER = frozenset(
    "view _unsafe_view reshape unsqueeze squeeze view_copy _reshape_alias squeeze_copy _reshape_copy".split()
)
UNSPREAD = frozenset(("permute", "transpose", "t", "flip", "roll"))
"""Dimensions of size 1 may stay so."""
LARGEST = 2**26
"""Numbers that are moved to see where they go."""

Places = dict[tuple[object, ...], list[Array] | None]
"""Where numbers went, for operations that were seen before."""


def rearranged(
    event: Event, sight: Sight | None, before: Shape, after: list[Shape], pixels: int, places: Places
) -> list[Sight | None]:
    """What each output sees of what the only moving input sees."""
    if isinstance(sight, Fixed) and sight.softened and any(one[-1:] != before[-1:] for one in after):
        sight = replace(sight, softened=BOUND)
    if sight is None or isinstance(sight, Fixed):
        return [sight] * len(after)
    quick = _quickly(event, sight, before, after, pixels)
    if quick is not None:
        return quick
    if isinstance(sight, Each):
        went = _went(event, before, sight.low.shape, after, places)
        if went is None:
            return [bound(pixels)] * len(after)
        low, high = sight.low.reshape(-1), sight.high.reshape(-1)
        made = [tidied(low[one], high[one], pixels, exact=sight.exact, aligned=sight.aligned) for one in went]
        if not sight.softened:
            return made
        return [
            soft(one, softened=sight.softened if size[-1:] == before[-1:] else BOUND)
            for one, size in zip(made, after, strict=True)
        ]
    return _along(event, sight, before, after, pixels, places)


def _along(
    event: Event, sight: Along, before: Shape, after: list[Shape], pixels: int, places: Places
) -> list[Sight | None]:
    sides = tuple(size if dim == sight.dim else 1 for dim, size in enumerate(before))
    units = _went(event, before, sides, after, places)
    labels = None if sight.labels is None else _went(event, before, sight.labels.shape, after, places)
    if units is None or (sight.labels is not None and labels is None):
        return [bound(pixels)] * len(after)
    found: list[Sight | None] = []
    for place, one in enumerate(units):
        kinds = None if labels is None or sight.labels is None else sight.labels.reshape(-1)[labels[place]]
        found.append(_of_units(sight, one, kinds, before[sight.dim], pixels))
    return found


def _of_units(sight: Along, units: Array, kinds: Array | None, before: int, pixels: int) -> Sight | None:
    """`units` says for each output which unit it was."""
    varying = [dim for dim, side in enumerate(units.shape) if side > 1]
    if len(varying) == 1 and (kinds is None or kinds.shape[varying[0]] == 1):
        taps = _regular(units.reshape(-1))
        if taps is not None:
            rank = units.ndim
            shape = tuple(before if dim == varying[0] else 1 for dim in range(rank))
            again = Along(varying[0], sight.palette, kinds, sight.exact, sight.aligned)
            return through(again, varying[0], taps, shape, units.size, pixels)

    rows = [unclipped(one, before) for one in sight.palette]
    low, high = (np.stack([row[end] for row in rows])[0 if kinds is None else kinds, units] for end in (0, 1))
    if (moved := repeating(low, high)) is not None:
        return Along(moved[0], (moved[1],), None, sight.exact, sight.aligned)
    return tidied(*clipped(low, high, pixels), pixels, exact=sight.exact, aligned=sight.aligned)


def _regular(units: Array) -> Taps | None:
    """Units that repeat with a shift."""
    period = period_of(units[None], 1024)
    if period is None:
        return None
    return Taps(tuple(units[:period].tolist()), (1,) * period, int(units[period] - units[0]))


def _quickly(event: Event, sight: Sight, before: Shape, after: list[Shape], pixels: int) -> list[Sight | None] | None:
    """Dimensions that only change places; None where more happens."""
    if not isinstance(sight, Along) or len(after) != 1:
        return None
    packet, args = event.packet, event.args
    if packet == "slice" and len(args) > 1 and args[1] % len(before) == sight.dim:
        low = args[2] if len(args) > 2 and args[2] is not None else 0
        low = max(0, low + before[sight.dim]) if low < 0 else low
        taps = Taps((low,), (1,), args[4] if len(args) > 4 else 1)
        return [through(sight, sight.dim, taps, before, after[0][sight.dim], pixels)]
    if packet == "pixel_shuffle" and sight.labels is None and sight.dim >= len(before) - 2:
        return [through(sight, sight.dim, Taps((0,) * args[1], (1,) * args[1], 1), before, after[0][sight.dim], pixels)]
    if sight.labels is not None:
        return None
    dim = _new_place(packet, args, sight.dim, before, after[0])
    return None if dim is None else [Along(dim, sight.palette, None, sight.exact, sight.aligned)]


def _new_place(packet: str, args: tuple[Any, ...], dim: int, before: Shape, after: Shape) -> int | None:
    rank = len(before)
    if packet == "permute":
        return next(place for place, old in enumerate(args[1]) if old % rank == dim)
    if packet in ("transpose", "t"):
        one, other = (0, rank - 1) if packet == "t" else (args[1] % rank, args[2] % rank)
        return other if dim == one else one if dim == other else dim
    if packet == "expand" and before[dim] > 1:
        return dim + len(after) - rank
    if packet in SAME_ORDER and prod(before) == prod(after) and before[dim] > 1:
        front = prod(before[:dim])
        return next(
            (at for at, side in enumerate(after) if side == before[dim] and prod(after[:at]) == front),
            None,
        )
    if (
        packet in ("slice", "repeat_interleave")
        and rank == len(after)
        and before[dim] == after[dim]
        and packet == "slice"
    ):
        return dim
    return None


def _went(event: Event, before: Shape, sides: Shape, after: list[Shape], places: Places) -> list[Array] | None:
    """For each output number, which of the numbers of a tensor with these sides (spread over `before`) it was."""
    if max([prod(before), *map(prod, after)]) > LARGEST:
        return None
    try:
        key: tuple[object, ...] = (event.function, event.args, tuple(event.kwargs.items()), before, sides)
        key = tuple("" if isinstance(one, Ref) else one for one in _flat(key))
        known = places.get(key, ...)
    except TypeError:
        return None
    if known is not ...:
        return known
    places[key] = found = _run(event, before, sides, after)
    return found


def _flat(given: Any) -> list[object]:
    if isinstance(given, tuple | list):
        return ["(", *(part for one in given for part in _flat(one)), ")"]
    return [given]


def _run(event: Event, before: Shape, sides: Shape, after: list[Shape]) -> list[Array] | None:
    if event.packet in SAME_ORDER and prod(before) == prod(after[0]) > 0:
        viewed = _viewed(sides, before, after[0])
        return None if viewed is None else [viewed]
    numbers = torch.arange(prod(sides), dtype=torch.int64).reshape(sides)
    if event.packet not in UNSPREAD or (event.packet == "roll" and not event.args[2:]):
        numbers = numbers.expand(before)

    def given(one: Any) -> Any:
        if isinstance(one, Ref):
            return numbers
        return [given(part) for part in one] if isinstance(one, tuple | list) else one

    options: Mapping[str, Any] = {key: given(one) for key, one in event.kwargs.items()}
    try:
        with torch.no_grad():
            result = event.function(*(given(one) for one in event.args), **options)
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError):
        return None
    made = [result] if isinstance(result, Tensor) else list(result)
    fits = numbers.shape != before or [tuple(one.shape) for one in made] == after
    return _fitting(made) if fits else None


def _viewed(sides: Shape, before: Shape, after: Shape) -> Array | None:
    """Numbers after a view: dimensions fall into groups that are split or merged among themselves.

    What a group does is worked out by itself, so that nothing as large as the whole tensor is made.
    """
    parts = []
    for (first, last), (start, stop) in _groups(before, after):
        part: Array = np.zeros((1,) * (last - first), dtype=np.int64)
        for dim in range(first, last):
            if sides[dim] > 1:
                along = np.arange(sides[dim], dtype=np.int64) * prod(sides[dim + 1 :])
                part = part + along.reshape((-1,) + (1,) * (last - 1 - dim))
        spread = part if part.size == 1 else np.broadcast_to(part, before[first:last])
        inside = compact_one(spread.reshape(after[start:stop] if part.size > 1 else (1,) * (stop - start)))
        parts.append(inside.reshape((1,) * start + inside.shape + (1,) * (len(after) - stop)))
    if prod(part.size for part in parts) > MOST_UNITS:
        return None
    return sum(parts, np.zeros((1,) * len(after), dtype=np.int64))


def _groups(before: Shape, after: Shape) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Ranges of dimensions of equal product, as short as can be; together they are all dimensions."""
    found: list[tuple[tuple[int, int], tuple[int, int]]] = []
    first = start = last = stop = 0
    while last < len(before) or stop < len(after):
        one, other = prod(before[first:last]), prod(after[start:stop])
        if one <= other and last < len(before):
            last += 1
        elif stop < len(after):
            stop += 1
        else:
            last += 1
        if prod(before[first:last]) == prod(after[start:stop]) and last > first and stop > start:
            found.append(((first, last), (start, stop)))
            first, start = last, stop
    if (first, start) != (len(before), len(after)):  # dimensions of size 1 that are left over
        found.append(((first, len(before)), (start, len(after))))
    return found


def _fitting(made: Sequence[Tensor]) -> list[Array] | None:
    compact = [_compact(one) for one in made]
    return compact if sum(one.size for one in compact) <= MOST_UNITS else None


def _compact(moved: Tensor) -> Array:
    for dim in range(moved.dim()):
        if moved.shape[dim] > 1:
            first = moved.narrow(dim, 0, 1)
            if moved.stride(dim) == 0 or bool((moved == first).all()):
                moved = first
    return moved.numpy()
