"""Walks over an anatomy that rules share: what comes right after a row, right before it, and on which line of code."""

from collections.abc import Callable, Iterable, Sequence

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.operations import Convolution, Linear, Pointwise, Rearrange, Regulariser

CASTS = frozenset({"_to_copy", "to", "clone", "contiguous", "detach", "alias"})
Through = Callable[[Row], bool]


def passes_on(row: Row) -> bool:
    """In evaluation the numbers stay what they are: other shapes and types, dropout, drop-path, identity."""
    return isinstance(row.operation, Rearrange | Regulariser) or (
        isinstance(row.operation, Pointwise) and row.operation.name in CASTS
    )


def always_passes_on(row: Row) -> bool:
    """The numbers stay what they are in training, too."""
    return passes_on(row) and not (isinstance(row.operation, Regulariser) and row.operation.probability > 0)


def weighted(row: Row) -> bool:
    """A convolution or a matrix product with a parameter, of something that the inputs reach."""
    return isinstance(row.operation, Convolution | Linear) and bool(row.inputs)


def is_output(anatomy: Anatomy, row: Row) -> bool:
    """The network gives away what the row made."""
    return any(value in anatomy.outputs for value in row.outputs)


def users(anatomy: Anatomy, row: Row) -> tuple[Row, ...]:
    """The rows that read what it made and whose own result matters (views renewed for nobody are left out)."""
    return tuple(one for one in anatomy.after(row) if one.source != "overlay" or _matters(anatomy, one))


def after(anatomy: Anatomy, row: Row, through: Through = passes_on) -> Row | None:
    """The one row that reads what this one made, those that pass numbers on skipped; None if others read it as well."""
    while True:
        readers = users(anatomy, row)
        if len(readers) != 1 or is_output(anatomy, row):
            return None
        row = readers[0]
        if not through(row):
            return row


def before(anatomy: Anatomy, row: Row, through: Through = passes_on) -> Row | None:
    """The one row whose result this one reads, rows that pass numbers on skipped; None where others read it as well."""
    while True:
        makers = tuple(anatomy.before(row))
        if len(makers) != 1 or len(row.inputs) != 1:
            return None
        if len(users(anatomy, makers[0])) != 1 or is_output(anatomy, makers[0]):
            return None
        row = makers[0]
        if not through(row):
            return row


def weighted_before(anatomy: Anatomy, row: Row) -> Row | None:
    """The nearest convolution or linear layer upstream, along rows that read one tensor each."""
    while len(row.inputs) == 1 and (maker := anatomy.maker.get(row.inputs[0])) is not None:
        if weighted(maker):
            return maker
        row = maker
    return None


def downstream(anatomy: Anatomy, row: Row) -> frozenset[int]:
    """Indices of all rows that something of this one reaches."""
    found: set[int] = set()
    waiting = [row]
    while waiting:
        for one in anatomy.after(waiting.pop()):
            if one.index not in found:
                found.add(one.index)
                waiting.append(one)
    return frozenset(found)


def map_before(anatomy: Anatomy, row: Row, axes: int) -> tuple[int, ...]:
    """Sizes of the map that goes in, along the last `axes` dimensions."""
    return anatomy.shape(row.inputs[0])[-axes:]


def map_after(anatomy: Anatomy, row: Row, axes: int) -> tuple[int, ...]:
    """Sizes of the map that comes out, along the last `axes` dimensions."""
    return anatomy.shape(row.outputs[0])[-axes:]


def by_line(rows: Iterable[Row]) -> list[tuple[Row, ...]]:
    """Rows that the same line of code made, together: what one edit mends. All nodes of a file are one group."""
    groups: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        place = (row.location.file, row.location.line) if row.location else ("", 0)
        groups.setdefault(place, []).append(row)
    return [tuple(group) for group in groups.values()]


def layers_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """Paths of the submodules that made the rows, each once."""
    return tuple(dict.fromkeys(row.module for row in rows))


def by_times(lengths: Sequence[int]) -> str:
    """3x3x3."""
    return "x".join(map(str, lengths))


def _matters(anatomy: Anatomy, row: Row) -> bool:
    return is_output(anatomy, row) or any(True for _ in anatomy.after(row))
