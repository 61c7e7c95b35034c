"""A convolution or linear layer adds a bias that the norm right after it takes out again.

Why: batch norm and instance norm subtract the mean of each channel, and a bias is a part of that mean: the result is
the same whatever its value, so it costs memory and an addition and never learns. The norm has a bias of its own.

Example:
    self.conv = nn.Conv2d(64, 128, 3, padding=1)
    self.norm = nn.BatchNorm2d(128)
Instead:
    self.conv = nn.Conv2d(64, 128, 3, padding=1, bias=False)
    self.norm = nn.BatchNorm2d(128)
Leave it: when weights of others, who had the bias, are to be loaded.
Rewrite: drop-bias takes the bias away and moves the running mean of the norm, so that the function stays the same.
Source: Ioffe and Szegedy 2015, arXiv:1502.03167, section 3.2.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution, Linear, Normalisation
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import after, always_passes_on, by_line, layers_of, weighted


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for each line that such layers were called on."""
    biased = [row for row in anatomy.rows if _biased(row)]
    needed = {name for row in biased if not _in_vain(anatomy, row) for name in row.parameters}
    for rows in by_line(row for row in biased if needed.isdisjoint(row.parameters)):
        layers = layers_of(rows)
        count = sum(_channels(row) for row in {row.module: row for row in rows}.values())
        norm = _norm(anatomy, rows[0])
        assert norm is not None
        one = len(layers) == 1
        yield RULE.finding(
            f"{named_rows(rows)} {'has a bias' if one else 'have biases'} of {count:,} numbers, and the {norm.kind} "
            f"norm after {'it takes' if one else 'each takes'} {'it' if one else 'them'} out again",
            remedy="give bias=False to what stands before such a norm",
            rows=rows,
            numbers={"bias_parameters": count},
        )


def _biased(row: Row) -> bool:
    return weighted(row) and isinstance(row.operation, Convolution | Linear) and row.operation.bias


def _in_vain(anatomy: Anatomy, row: Row) -> bool:
    norm = _norm(anatomy, row)
    return norm is not None and norm.channels == _channels(row)


def _norm(anatomy: Anatomy, row: Row) -> Normalisation | None:
    """The norm right after it that subtracts the mean of each channel alone."""
    follower = after(anatomy, row, always_passes_on)
    operation = follower.operation if follower else None
    if not isinstance(operation, Normalisation) or operation.kind not in ("batch", "instance"):
        return None
    return operation


def _channels(row: Row) -> int:
    assert isinstance(row.operation, Convolution | Linear)
    return row.operation.outputs


RULE = Rule(code="FC001", name="bias-before-norm", severity=Severity.WARNING, check=check, rewrite="drop-bias")
