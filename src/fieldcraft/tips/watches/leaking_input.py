"""One input gives the target away.

Why: a column that was filled in after the outcome (a discharge code, a copied label, an id in order of class) makes
every model look perfect, and is not there when it matters.

Instead: take the column out; for images, look for burnt-in text, borders or markers that differ by class.

Leave it: where the column is truly known at the time of prediction.
Source: Kaufman et al. 2012, "Leakage in data mining", ACM TKDD 6(4).
"""

from collections.abc import Iterator

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch

PERFECT = 0.99
"""Share of what a constant leaves wrong that one input puts right."""


def see(record: TrainingRecord) -> Iterator[Finding]:
    """One finding for all inputs that nearly determine the target by themselves."""
    leaks = [leak for leak in record.leaks if leak.score - leak.chance >= PERFECT * (1 - leak.chance)]
    if leaks:
        most = max(leaks, key=lambda leak: leak.score)
        others = f" and {len(leaks) - 1} more" if len(leaks) > 1 else ""
        yield WATCH.finding(
            record,
            f"{most.column}{others} predicts the target alone: {most.score:.1%} on validation, a constant "
            f"{most.chance:.1%}",
            remedy="ask whether it is known at the time of prediction; if not, take it out of the data",
            numbers={"score": most.score, "chance": most.chance, "inputs": len(leaks)},
        )


WATCH = Watch(code="FC112", name="leaking-input", severity=Severity.ERROR, see=see)
