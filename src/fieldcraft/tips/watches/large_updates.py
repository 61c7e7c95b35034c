"""Steps that are large against the weights.

Why: a step that changes a layer by a tenth of its norm overwrites what it has learnt within a few more. As a rule of
thumb, good training changes weights by about a thousandth a step.

Instead: a lower peak rate, a warm-up, clipping; in a plan `--set ladder.rungs.NAME.lr=...`.

Leave it: in the first few steps of a warm-up, and in layers that start next to zero. Told when half of the layers move
so far in a quarter of the looks.
Source: Karpathy's notes of CS231n ("ratio of updates to weights"); You et al. 2017, arXiv:1708.03888.
"""

from collections.abc import Iterator
from statistics import median

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch

LARGE = 0.1
"""Norm of the step over the norm of the weights."""


def see(record: TrainingRecord) -> Iterator[Finding]:
    """One finding when half of the layers move by more than a tenth of themselves in a quarter of the looks."""
    updates = {name: [one.update for one in record.layers(name) if one.update is not None] for name in record.names}
    often = {name: sorted(values)[-(-3 * len(values) // 4) - 1] for name, values in updates.items() if values}
    large = [name for name, value in often.items() if value > LARGE]
    if large and len(large) >= len(often) / 2:
        middle = median(often.values())
        yield WATCH.finding(
            record,
            f"a step changes {len(large)} of {len(often)} layers by more than {LARGE:.0%} of their weights, in a "
            f"quarter of the steps looked at (by {middle:.2g} in the median layer)",
            remedy="a lower peak rate (a tenth of it, say), a longer warm-up, or gradient clipping",
            layers=large,
            numbers={"upper_quartile_of_updates": middle, "layers": len(large)},
        )


WATCH = Watch(code="FC105", name="large-updates", severity=Severity.ERROR, see=see)
