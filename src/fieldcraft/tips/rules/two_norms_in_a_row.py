"""Two norms follow each other with nothing between them.

Why: the second gets numbers that are brought to mean zero and variance one already; it costs memory and a pass over the
map, and its scale and shift could be those of the first.

Example:
    x = self.norm2(self.norm1(self.conv(x)))

Instead:
    x = self.norm1(self.conv(x))

Leave it: when the two normalise over different things on purpose.
Source: Ioffe and Szegedy 2015, arXiv:1502.03167, section 3.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Normalisation
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import before, by_line


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for each line that a second norm was called on."""
    seconds = {row.index: first for row in anatomy.rows if (first := _first(anatomy, row)) is not None}
    for rows in by_line(anatomy.rows[index] for index in seconds):
        firsts = [seconds[row.index] for row in rows]
        numbers = sum(row.cost.parameters for row in rows)
        yield RULE.finding(
            f"{named_rows(rows)} {_kind(rows[0])}-{'normalises' if len(rows) == 1 else 'normalise'} again what "
            f"{named_rows(firsts)} {_kind(firsts[0])}-normalised right before ({numbers:,} parameters)",
            remedy="take one of the two away",
            rows=rows,
            numbers={"pairs": len(rows), "parameters": numbers},
        )


def _first(anatomy: Anatomy, row: Row) -> Row | None:
    """The norm right before a norm."""
    if not isinstance(row.operation, Normalisation):
        return None
    found = before(anatomy, row)
    return found if found is not None and isinstance(found.operation, Normalisation) else None


def _kind(row: Row) -> str:
    assert isinstance(row.operation, Normalisation)
    return row.operation.kind


RULE = Rule(code="FC003", name="two-norms-in-a-row", severity=Severity.WARNING, check=check)
