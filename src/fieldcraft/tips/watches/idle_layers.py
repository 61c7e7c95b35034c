"""Layers that training hardly moves.

Why: a layer whose steps are a millionth of its weights stays what it was at random, while its cost is paid in full.

Instead: a higher rate for it, a norm before it, or see why it gets no gradient (FC101, FC103).

Leave it: where it was frozen on purpose, or kept as it was made (whitening filters).
Source: Karpathy's notes of CS231n ("ratio of updates to weights").
"""

from collections.abc import Iterator

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch
from fieldcraft.tips.watches.typical import by_layer

SMALL = 1e-6


def see(record: TrainingRecord) -> Iterator[Finding]:
    """One finding for all layers whose updates are next to nothing."""
    updates = by_layer(record, lambda layer: layer.update)
    idle = [name for name, value in updates.items() if value < SMALL]
    if idle:
        least = min(updates[name] for name in idle)
        yield WATCH.finding(
            record,
            f"a step changes {len(idle)} of {len(updates)} layers by less than {SMALL:g} of their weights",
            remedy="a higher rate, or look for what keeps the gradient from them",
            layers=idle,
            numbers={"least_update": least, "layers": len(idle)},
        )


WATCH = Watch(code="FC106", name="idle-layers", severity=Severity.WARNING, see=see)
