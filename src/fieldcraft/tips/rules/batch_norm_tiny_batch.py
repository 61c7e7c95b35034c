"""Batch norm learns from a step of very few samples.

Why: mean and variance of a handful of samples are noise, and what was learnt with them does not fit the running
averages that are used afterwards. ResNet-50 on ImageNet has 23.6 % errors at 32 samples on a device, 34.7 % at two;
group norm has 24.1 % at both. With one sample and a map of one pixel there is no variance at all, and training stops.

Example:
    self.norm = nn.BatchNorm2d(64)  # trained with two samples a step

Instead:
    self.norm = nn.GroupNorm(16, 64)

Leave it: when the norms are frozen, or statistics are gathered over devices (SyncBatchNorm).
Rewrite: group-norm takes over scale and shift; the function changes.
Source: Wu and He 2018, "Group normalization", arXiv:1803.08494, table 2.
"""

from collections.abc import Iterator
from math import prod

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Normalisation
from fieldcraft.tips.rule import Circumstances, Rule, named_rows

LEAST_BATCH = 8


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network, when the batch is known; an error where training cannot work at all."""
    batch = circumstances.batch
    rows = [row for row in anatomy.rows if _batch_norm(row)]
    if batch is None or batch >= LEAST_BATCH or not rows:
        return
    fewest = min(rows, key=lambda row: _places(anatomy, row))
    values = batch * _places(anatomy, fewest)
    impossible = values == 1
    yield RULE.finding(
        f"{len(rows)} batch norm{'' if len(rows) == 1 else 's'} will learn from {batch} "
        f"sample{'' if batch == 1 else 's'} "
        f"a step, fewer than {LEAST_BATCH}: {named_rows([fewest])} takes mean and variance of each channel over "
        f"{values:,} "
        f"number{'' if values == 1 else 's'}" + (", which PyTorch refuses" if impossible else ""),
        remedy="use group norm, more samples a step, or statistics over all devices",
        rows=rows,
        numbers={"samples": batch, "fewest_values": values, "norms": len(rows)},
        severity=Severity.ERROR if impossible else Severity.WARNING,
    )


def _batch_norm(row: Row) -> bool:
    return isinstance(row.operation, Normalisation) and row.operation.kind == "batch" and bool(row.inputs)


def _places(anatomy: Anatomy, row: Row) -> int:
    """Numbers of one channel in one sample."""
    return prod(anatomy.shape(row.outputs[0])[2:])


RULE = Rule(code="FC022", name="batch-norm-tiny-batch", severity=Severity.ERROR, check=check, rewrite="group-norm")
