"""Dropout feeds a batch norm, directly or through one layer.

Why: in training, dropout with share p makes the variance of what it passes larger (by 1 / (1 - p) for numbers of mean
zero); the batch norm keeps that variance as its running average. In evaluation nothing is dropped, so the norm divides
by too much: in Li's experiments the two together did worse than either alone.

Example:
    x = self.norm(self.conv(self.dropout(x)))

Instead:
    x = self.dropout(F.relu(self.norm(self.conv(x))))  # behind the last batch norm of the net

Leave it: with a small share (0.1 or less) in wide layers, where the shift is small.
Source: Li et al. 2019, "Understanding the disharmony between dropout and batch normalization", arXiv:1801.05134.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Activation, Normalisation, Pool, Regulariser
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import after, by_line, passes_on, weighted


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for each line that such norms were called on. Functional dropout leaves no trace in evaluation."""
    dropouts = {norm.index: row for row in anatomy.rows if _drops(row) and (norm := _norm(anatomy, row)) is not None}
    for norms in by_line(anatomy.rows[index] for index in sorted(dropouts)):
        rows = [dropouts[norm.index] for norm in norms]
        share = max(row.operation.probability for row in rows if isinstance(row.operation, Regulariser))
        yield RULE.finding(
            f"{named_rows(rows)} {'drops' if len(rows) == 1 else 'drop'} {share:.0%} of the numbers before the "
            f"batch norm "
            f"{named_rows(norms)}, which then learns a variance up to {1 / (1 - share):.2f} times that of evaluation",
            remedy="drop behind the last batch norm, or not at all",
            rows=(*rows, *norms),
            numbers={"dropped_share": share, "variance_ratio": 1 / (1 - share)},
            location=norms[0].location,
        )


def _drops(row: Row) -> bool:
    operation = row.operation
    return isinstance(operation, Regulariser) and operation.kind == "dropout" and 0 < operation.probability < 1


def _norm(anatomy: Anatomy, row: Row) -> Row | None:
    """The batch norm that follows, behind at most one layer with weights."""
    layers = 0

    def through(one: Row) -> bool:
        nonlocal layers
        layers += weighted(one)
        on_the_way = passes_on(one) or weighted(one) or isinstance(one.operation, Activation | Pool)
        return on_the_way and layers <= 1

    found = after(anatomy, row, through)
    norm = found.operation if found else None
    return found if isinstance(norm, Normalisation) and norm.kind == "batch" else None


RULE = Rule(code="FC023", name="dropout-before-batch-norm", severity=Severity.WARNING, check=check)
