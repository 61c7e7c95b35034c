"""Two activations follow each other with nothing between them.

Why: the second bends what was bent already: relu after relu does nothing at all, sigmoid after relu can only give
numbers from 0.5 on, relu after sigmoid does nothing. Mostly it is left over from an edit.

Example:
    x = F.relu(self.block(x))  # the block ends in a relu

Instead:
    x = self.block(x)

Leave it: when the pair is one function by design, such as a gate that clips what it squashed.
Source: Glorot, Bordes and Bengio 2011, "Deep sparse rectifier neural networks", AISTATS (a rectifier twice is itself).
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Activation
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import before, by_line

ONE_FUNCTION = frozenset({("softplus", "tanh"), ("softplus", "log_sigmoid"), ("log_sigmoid", "softplus")})
"""Pairs that make one activation together: x tanh(softplus(x)) is Mish."""
NOT_NEGATIVE = frozenset({"relu", "relu6", "sigmoid", "hardsigmoid", "softplus", "threshold"})
"""Their results are never below zero, so that a relu after them changes nothing."""


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for each line that a second activation was called on."""
    seconds = {row.index: first for row in anatomy.rows if (first := _first(anatomy, row)) is not None}
    for rows in by_line(anatomy.rows[index] for index in seconds):
        pairs = list(dict.fromkeys((_name(seconds[row.index]), _name(row)) for row in rows))
        vain = all(first in NOT_NEGATIVE and second == "relu" for first, second in pairs)
        words = " and ".join(f"{second} right after {first}" for first, second in pairs)
        yield RULE.finding(
            f"{named_rows(rows)}: {words}" + (", which changes nothing" if vain else ""),
            remedy="take one of the two away",
            rows=rows,
            numbers={"pairs": len(rows)},
        )


def _first(anatomy: Anatomy, row: Row) -> Row | None:
    """The activation right before an activation."""
    if not isinstance(row.operation, Activation):
        return None
    found = before(anatomy, row)
    if found is None or not isinstance(found.operation, Activation):
        return None
    return None if (_name(found), _name(row)) in ONE_FUNCTION else found


def _name(row: Row) -> str:
    assert isinstance(row.operation, Activation)
    return row.operation.name


RULE = Rule(code="FC004", name="two-activations-in-a-row", severity=Severity.WARNING, check=check)
