"""A norm stands after the activation instead of before it.

Why: before the activation, the norm keeps about half of the units of each channel active, whatever the weights do;
after a rectifier it sees a skewed distribution with many exact zeros, and the next layer gets negative numbers again.
The evidence is mixed: some nets train as well, or a little better, with the norm behind.

Example:
    x = self.norm(F.relu(self.conv(x)))

Instead:
    x = F.relu(self.norm(self.conv(x)))

Leave it: when the net was tuned this way (ConvMixer), or the norm opens a residual branch.
Source: Ioffe and Szegedy 2015, arXiv:1502.03167, section 3.2; for the other side Mishkin et al. 2017, arXiv:1606.02228.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Activation, Normalisation, Pool
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import before, by_line, passes_on, weighted


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for each line that such norms were called on."""
    for rows in by_line(row for row in anatomy.rows if _behind(anatomy, row)):
        one = len(rows) == 1
        yield RULE.finding(
            f"{named_rows(rows)} {'normalises' if one else 'normalise'} what an activation has just cut, "
            f"{'where it' if one else 'where each'} could stand between the weights and the activation",
            remedy="put the norm right behind the convolution or linear layer, and the activation behind the norm",
            rows=rows,
            numbers={"norms": len(rows)},
        )


def _behind(anatomy: Anatomy, row: Row) -> bool:
    """Weights, activation, maybe a pool, norm; nothing else reads what is between them."""
    if not isinstance(row.operation, Normalisation) or row.operation.kind not in ("batch", "instance", "group"):
        return False
    activation = before(anatomy, row, lambda one: passes_on(one) or isinstance(one.operation, Pool))
    if activation is None or not isinstance(activation.operation, Activation):
        return False
    weights = before(anatomy, activation)
    return weights is not None and weighted(weights)


RULE = Rule(code="FC002", name="norm-after-activation", severity=Severity.INFO, check=check)
