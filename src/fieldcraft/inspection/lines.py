"""The lines of a table of a network: rows of one call of one submodule (or of one stage) put together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from fieldcraft.inspection.words import in_words
from fieldcraft.records import operations as ops
from fieldcraft.records.anatomy import Anatomy, Row

PLAIN = ops.Rearrange | ops.Create
"""What moves numbers and computes none; hidden unless it stands alone."""
SHOWN = 3
"""Operations named in one line."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """Rows that stand in one line."""

    path: str
    call: int
    rows: tuple[Row, ...]
    what: str
    """Operations in words."""
    shape: tuple[int, ...]
    """Of what comes out, without the batch."""
    parameters: int
    macs: int | None
    """None when a row of it could not be counted."""

    @property
    def last(self) -> Row:
        """The row whose output is the line's."""
        return self.rows[-1]


def lines(anatomy: Anatomy, *, depth: int | None = None, every_row: bool = False) -> list[Line]:
    """Neighbouring rows of one call of one submodule as a line; `depth` cuts paths after so many names."""
    if every_row:
        return [_line(anatomy, row.module, row.call, (row,)) for row in anatomy.rows]
    grouped = groupby(anatomy.rows, key=lambda row: _key(row, depth))
    made = [_line(anatomy, path, call, tuple(rows)) for (path, call), rows in grouped]
    return [one for one in made if not all(isinstance(row.operation, PLAIN) for row in one.rows)]


def _key(row: Row, depth: int | None) -> tuple[str, int]:
    parts = row.module.split(".") if row.module else []
    if depth is None or len(parts) <= depth:
        return row.module, row.call
    return ".".join(parts[:depth]), 0


def _line(anatomy: Anatomy, path: str, call: int, rows: tuple[Row, ...]) -> Line:
    counted = [row.cost.macs for row in rows]
    outputs = rows[-1].outputs
    shape = anatomy.shape(outputs[0]) if outputs else ()
    return Line(
        path=path,
        call=call,
        rows=rows,
        what=_what(rows),
        shape=shape[1:] if len(shape) > 1 else shape,
        parameters=sum(row.cost.parameters for row in rows),
        macs=None if None in counted else sum(one for one in counted if one is not None),
    )


def _what(rows: Sequence[Row]) -> str:
    shown = [row for row in rows if not isinstance(row.operation, PLAIN)] or list(rows)
    words = list(dict.fromkeys(_weighty_first(shown)))
    return "; ".join(words[:SHOWN]) + (f"; {len(words) - SHOWN} more" if len(words) > SHOWN else "")


def _weighty_first(rows: Sequence[Row]) -> Iterable[str]:
    """In their order, but what costs multiply-adds before scaling and adding when there is much."""
    if len(rows) > SHOWN:
        rows = sorted(rows, key=lambda row: not row.cost.macs)
    return [in_words(row.operation) for row in rows]
