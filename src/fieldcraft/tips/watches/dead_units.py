"""Rectifiers that are zero for every sample.

Why: a unit that is never active passes no gradient on and cannot come back. It costs time and memory for nothing; when
a large share of a layer is dead, the network is a smaller one than was planned.

Instead: a lower rate or a warm-up (one large step often does it), biases that start at zero, a norm before the
rectifier, leaky rectifiers or GELU.

Leave it: below a few per cent of a layer. A unit counts as dead when it gave zero for a whole batch, in the median of
the last looks; one that fires for rarer samples than one in a few batches is counted too.
Source: Lu et al. 2019, arXiv:1903.06733; Maas et al. 2013, "Rectifier nonlinearities improve neural network acoustic
models".
"""

from collections.abc import Iterator

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch
from fieldcraft.tips.watches.typical import by_layer

LAST = 3
"""Looks at the end over which the median is taken."""
MANY, MOST = 0.4, 0.8
"""Share of a layer's units that are dead: a warning, an error."""


def see(record: TrainingRecord) -> Iterator[Finding]:
    """One finding for all layers that have lost a large share of their units."""
    dead = {name: share for name, share in by_layer(record, lambda layer: layer.dead, LAST).items() if share >= MANY}
    if dead:
        most = max(dead.values())
        yield WATCH.finding(
            record,
            f"up to {most:.0%} of the units of {len(dead)} layers gave zero for every sample of a batch",
            remedy="a lower rate or a longer warm-up, biases from zero, a norm before, or leaky rectifiers",
            layers=list(dead),
            numbers={"largest_share": most, "layers": len(dead)},
            severity=Severity.ERROR if most >= MOST else Severity.WARNING,
        )


WATCH = Watch(code="FC103", name="dead-units", severity=Severity.ERROR, see=see)
