"""The last rows that still know positions: what a head reads, or what the network gives away."""

from dataclasses import dataclass
from math import prod

from fieldcraft.records.anatomy import Anatomy, AxisField, InputField, Row
from fieldcraft.records.operations import AdaptivePool, Pool, Rearrange, Reduce


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMaps:
    """Where the positions end."""

    rows: tuple[Row, ...]
    dense: bool
    """An output itself is a map."""
    mixed: bool
    """Positions are put together by something that was learned (a linear layer of the flattened map, attention)."""


def last_maps(anatomy: Anatomy) -> LastMaps:
    """Walk back from the outputs to the first rows that know positions."""
    outputs = [anatomy.maker[one] for one in anatomy.outputs if one in anatomy.maker]
    found = {row.index: row for row in outputs if knows_positions(row)}
    dense, mixed, seen, waiting = bool(found), False, set(found), [row for row in outputs if row.index not in found]
    while waiting:
        row = waiting.pop()
        if row.index in seen:
            continue
        seen.add(row.index)
        for maker in anatomy.before(row):
            if not knows_positions(maker):
                waiting.append(maker)
                continue
            found[maker.index] = maker
            mixed = mixed or not _averages(anatomy, row, maker)
    mixed = mixed or any(axis.everywhere for row in found.values() for one in row.fields for axis in one.axes)
    return LastMaps(rows=tuple(found.values()), dense=dense, mixed=mixed)


def knows_positions(row: Row) -> bool:
    """Some dimension carries each axis of an input."""
    return any(one.axes and all(axis.stride is not None for axis in one.axes) for one in row.fields)


def extent(anatomy: Anatomy, one: InputField) -> tuple[int, ...]:
    """Pixels of the input along each axis of a field."""
    shape = next(anatomy.shape(value) for value in anatomy.inputs if anatomy.values[value].name == one.input)
    return shape[-len(one.axes) :] if one.axes else ()


def axes_with_extent(anatomy: Anatomy, row: Row) -> list[tuple[AxisField, int]]:
    """Each axis of the first input that the row sees, with the pixels of that input."""
    seen = next((one for one in row.fields if one.axes), None)
    return [] if seen is None else list(zip(seen.axes, extent(anatomy, seen), strict=True))


def _averages(anatomy: Anatomy, row: Row, maker: Row) -> bool:
    """Positions go by pooling, or there is only one left."""
    if isinstance(row.operation, AdaptivePool | Pool | Reduce):
        return True
    return isinstance(row.operation, Rearrange) and prod(anatomy.shape(maker.outputs[0])[2:]) == 1
