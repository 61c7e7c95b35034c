"""Two linear maps follow each other with nothing between them, and one would do.

Why: a 1x1 convolution after a convolution, or a linear layer after a linear layer, is together one map of the same
kind: without an activation between them the second adds weights and time, but nothing that the pair could not do as
one.

Example:
    x = self.linear2(self.linear1(x))

Instead:
    x = self.linear2(F.relu(self.linear1(x)))

Leave it: where the middle is so narrow that the pair has fewer weights than the one map (those are left out here), or
where deep linear maps are what is studied.
Rewrite: fuse-1x1 multiplies the two into one; the function stays the same.
Source: Saxe, McClelland and Ganguli 2014, arXiv:1312.6120, section 1 (what depth without activations cannot do).
"""

from collections.abc import Iterator
from math import prod

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution, Linear, Rearrange
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import always_passes_on, before, by_line, weighted

REORDERED = frozenset({"permute", "transpose", "t", "movedim", "swapaxes"})


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for each line that the second of such a pair was called on."""
    firsts = {row.index: first for row in anatomy.rows if (first := _first(anatomy, row)) is not None}
    for rows in by_line(anatomy.rows[index] for index in firsts):
        pairs = [(firsts[row.index], row) for row in rows]
        now = sum(_weights(first) + _weights(second) for first, second in pairs)
        then = sum(_fused(first, second) for first, second in pairs)
        yield RULE.finding(
            f"{named_rows([first for first, _ in pairs])} and {named_rows(rows)} are one linear map together: nothing "
            f"stands between them, and {then:,} weights do what {now:,} do",
            remedy="put a norm and an activation between them, or make them one layer",
            rows=[row for pair in pairs for row in pair],
            numbers={"weights": now, "weights_of_one": then},
            location=rows[0].location,
        )


def _first(anatomy: Anatomy, row: Row) -> Row | None:
    """The linear map right before a linear map, where one in their place has no more weights than the two."""
    if not _plain(row):
        return None
    first = before(anatomy, row, always_passes_on)
    if first is None or not _plain(first) or _outputs(first) != _inputs(row):
        return None
    if type(first.operation) is type(row.operation) and before(anatomy, row, _keeps_order) is not first:
        return None  # over the other dimension: rows, then columns
    if 1 not in (prod(_kernel(first)), prod(_kernel(row))) or not _unpadded_behind(first, row):
        return None
    return first if _fused(first, row) <= _weights(first) + _weights(row) else None


def _plain(row: Row) -> bool:
    """Dense and not transposed."""
    if not weighted(row):
        return False
    return not isinstance(row.operation, Convolution) or (row.operation.groups == 1 and not row.operation.transposed)


def _keeps_order(row: Row) -> bool:
    """Passes on, and each dimension stays where it is."""
    return always_passes_on(row) and not (isinstance(row.operation, Rearrange) and row.operation.name in REORDERED)


def _unpadded_behind(first: Row, second: Row) -> bool:
    """Zeros around the middle are not zeros around the input once the first map has a bias."""
    conv = second.operation
    biased = isinstance(first.operation, Convolution | Linear) and first.operation.bias
    return not isinstance(conv, Convolution) or max(conv.padding) == 0 or not biased


def _kernel(row: Row) -> tuple[int, ...]:
    return row.operation.kernel if isinstance(row.operation, Convolution) else (1,)


def _inputs(row: Row) -> int:
    assert isinstance(row.operation, Convolution | Linear)
    return row.operation.inputs


def _outputs(row: Row) -> int:
    assert isinstance(row.operation, Convolution | Linear)
    return row.operation.outputs


def _weights(row: Row) -> int:
    return prod(_kernel(row)) * _inputs(row) * _outputs(row)


def _fused(first: Row, second: Row) -> int:
    return prod(_kernel(first)) * prod(_kernel(second)) * _inputs(first) * _outputs(second)


RULE = Rule(code="FC034", name="linear-chain", severity=Severity.WARNING, check=check, rewrite="fuse-1x1")
