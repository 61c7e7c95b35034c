"""Batches that are not drawn at random.

Why: in batches sorted by class, each step unlearns what the last one taught, and batch norm sees one class at a time.

Instead: `shuffle=True` in the loader, or a new permutation each epoch.

Leave it: where batches are composed on purpose (episodes, pairs of samples, one patient a batch).
Source: Bottou 2012, "Stochastic gradient descent tricks"; Bengio 2012, arXiv:1206.5533.
"""

from collections.abc import Iterator
from math import fsum

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch

LEAST_BATCHES = 4
UNEVEN = 2.0
"""Pearson's statistic over its degrees of freedom; 1 on average when every batch is a random draw."""


def see(record: TrainingRecord) -> Iterator[Finding]:
    """One finding when classes are spread over the batches more unevenly than chance does."""
    batches = [look.classes for look in record.looks if sum(look.classes)]
    found = dispersion(batches) if len(batches) >= LEAST_BATCHES else None
    if found is not None and found > UNEVEN:
        yield WATCH.finding(
            record,
            f"classes are spread {found:.1f} times as unevenly over {len(batches)} batches as random draws would",
            remedy="shuffle the training samples anew each epoch",
            numbers={"dispersion": found, "batches": len(batches)},
        )


def dispersion(batches: list[tuple[int, ...]]) -> float | None:
    """Pearson's chi-squared of homogeneity over its degrees of freedom; None where one class is all there is."""
    columns = [sum(column) for column in zip(*batches, strict=True)]
    total, present = sum(columns), sum(column > 0 for column in columns)
    if present < 2:
        return None
    terms = [
        (count - expected) ** 2 / expected
        for batch in batches
        for count, column in zip(batch, columns, strict=True)
        if (expected := sum(batch) * column / total) > 0
    ]
    return float(fsum(terms) / ((len(batches) - 1) * (present - 1)))


WATCH = Watch(code="FC111", name="unshuffled-batches", severity=Severity.ERROR, see=see)
