"""Numbers of channels that are no multiple of 8 leave tensor cores partly idle.

Why: tensor cores of GPUs multiply blocks of 8 or 16 in half precision; other sizes are padded in memory, or run by
slower code. 30 channels cost as much as 32, or more.

Example:
    self.conv = nn.Conv2d(30, 60, 3, padding=1)

Instead:
    self.conv = nn.Conv2d(32, 64, 3, padding=1)

Leave it: for the channels of the input and of the answer, and on a CPU.
Source: NVIDIA, "Deep learning performance: matrix multiplication background user's guide", section on tensor cores.
"""

from collections.abc import Iterator
from math import prod

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution, Linear
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import downstream, weighted

BLOCK = 8
LEAST_SHARE = 0.01
"""Of the multiply-adds of all such layers; smaller ones do not matter."""


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network, when it is to run on a GPU."""
    if circumstances.device != "cuda":
        return
    rows = [row for row in anatomy.rows if weighted(row)]
    heavy = LEAST_SHARE * sum(_work(anatomy, row) for row in rows)
    last = {row.index for row in rows if not any(anatomy.rows[one] in rows for one in downstream(anatomy, row))}
    odd = [row for row in rows if row.index not in last and _odd(row) and _work(anatomy, row) >= heavy]
    if odd:
        shown = ", ".join(
            f"{count} (to {-(-count // BLOCK) * BLOCK})" for count in sorted({_outputs(row) for row in odd})
        )
        yield RULE.finding(
            f"{named_rows(odd)} {'gives' if len(odd) == 1 else 'give'} numbers of channels that are no multiple "
            f"of {BLOCK}: "
            f"{shown}",
            remedy=f"round the channels up to multiples of {BLOCK}",
            rows=odd,
            numbers={"layers": len(odd)},
        )


def _odd(row: Row) -> bool:
    grouped = isinstance(row.operation, Convolution) and row.operation.groups > 1
    return not grouped and _outputs(row) % BLOCK != 0


def _outputs(row: Row) -> int:
    assert isinstance(row.operation, Convolution | Linear)
    return row.operation.outputs


def _work(anatomy: Anatomy, row: Row) -> int:
    """Multiply-adds, nearly."""
    operation = row.operation
    assert isinstance(operation, Convolution | Linear)
    inner = operation.inputs
    if isinstance(operation, Convolution):
        inner = operation.inputs // operation.groups * prod(operation.kernel)
    return inner * prod(anatomy.shape(row.outputs[0]))


RULE = Rule(code="FC032", name="odd-channel-count", severity=Severity.INFO, check=check)
