"""Batch norms behind convolutions could be folded into them for inference.

Why: in evaluation a batch norm is a scale and a shift for each channel, both of which fit into the weights and the bias
of the convolution before it: the same function with one pass over each map less.

Example:
    net.eval()

Instead:
    net = fc.rewrite(net, "FC033").module

Leave it: as long as the net is trained; the norm is needed there.
Rewrite: fold-norm multiplies the scale into the weights; the function stays the same in evaluation.
Source: Jacob et al. 2018, arXiv:1712.05877, section 3.2.
"""

from collections.abc import Iterator
from math import prod

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Convolution, Linear, Normalisation
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.graph import before, layers_of, passes_on, weighted


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One line for the network."""
    rows = [row for row in anatomy.rows if _foldable(anatomy, row)]
    if not rows:
        return
    layers = layers_of(rows)
    every = sum(isinstance(row.operation, Normalisation) and bool(row.inputs) for row in anatomy.rows)
    numbers = sum(prod(anatomy.shape(row.outputs[0])) for row in rows) // max(1, anatomy.batch)
    yield RULE.finding(
        f"{len(layers)} of {every} norms could be folded into the layers before them for inference, which saves "
        f"a pass over "
        f"{numbers:,} numbers a sample",
        remedy="fold them when the net is to be served",
        rows=rows,
        numbers={"norms": len(layers), "numbers_a_sample": numbers},
    )


def _foldable(anatomy: Anatomy, row: Row) -> bool:
    norm = row.operation
    if not isinstance(norm, Normalisation) or norm.kind != "batch" or norm.batch_statistics:
        return False
    layer = before(anatomy, row, passes_on)
    if layer is None or not weighted(layer):
        return False
    return isinstance(layer.operation, Convolution | Linear) and layer.operation.outputs == norm.channels


RULE = Rule(code="FC033", name="foldable-norm", severity=Severity.INFO, check=check, rewrite="fold-norm")
