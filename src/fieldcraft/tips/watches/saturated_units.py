"""Sigmoids or tanhs that sit where they are flat.

Why: far from zero their slope is next to nothing, and so is the gradient of everything before them.

Instead: rectifiers; where the function is wanted (gates), smaller initial weights, a norm before it, a lower rate.

Leave it: in gates that are meant to be open or shut, and in the last layer of a network that is sure of itself.
Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", AISTATS.
"""

from collections.abc import Iterator

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch
from fieldcraft.tips.watches.typical import by_layer

MANY = 0.5
"""Share of a layer's outputs on the flat parts, in the median over the looks."""


def see(record: TrainingRecord) -> Iterator[Finding]:
    """One finding for all layers that are mostly flat."""
    flat = {name: share for name, share in by_layer(record, lambda layer: layer.saturated).items() if share >= MANY}
    if flat:
        most = max(flat.values())
        yield WATCH.finding(
            record,
            f"up to {most:.0%} of what {len(flat)} layers give lies where the slope is below a tenth of the steepest",
            remedy="rectifiers, or smaller initial weights, a norm before the function, a lower rate",
            layers=list(flat),
            numbers={"largest_share": most, "layers": len(flat)},
        )


WATCH = Watch(code="FC104", name="saturated-units", severity=Severity.WARNING, see=see)
