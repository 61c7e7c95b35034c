"""Batch size: few samples a step for small sets, more for large ones, and never more than memory holds.

Helps: a small set needs many noisy steps from few samples; a large one is seen in time only with larger batches.
Hurts: very small batches leave the machine idle and batch norm guessing; very large ones need more epochs.
Cost: memory grows with the batch.
Source: Smith et al. 2018, arXiv:1711.00489; McCandlish et al. 2018, arXiv:1812.06162;
Masters and Luschi 2018, arXiv:1804.07612.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Batch, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Tip
from fieldcraft.tips.rough import activations

SIZES = ((200, 16), (2_000, 32), (5_000, 64), (20_000, 128), (100_000, 256))
"""(training samples below, samples a step)."""
LARGEST, SMALLEST = 512, 8
KEPT_BYTES = 16
"""For each number that a linear map gives: itself, its norm, its activation, its gradient, 4 bytes each."""
MEMORY_SHARE = 0.5


def decide(brief: Brief, plan: Plan) -> Applied:
    """Choose by the number of training samples, then halve until activations fit half of the free memory."""
    train = brief.data.train
    wanted = next((size for below, size in SIZES if train < below), LARGEST)
    size = _fitting(wanted, brief, plan)
    steps = -(-train // size)
    because = f"{train:,} training samples: {steps:,} step{'s' if steps != 1 else ''} an epoch with {size} samples each"
    if size < wanted:
        because += f"; {wanted} would need more than half of the {_free_mib(brief):,} MiB that are free"
    micro = plan.batch.micro if plan.batch.micro is None else min(plan.batch.micro, size)
    return Applied(plan=replace(plan, batch=Batch(size=size, micro=micro)), because=because)


def _fitting(size: int, brief: Brief, plan: Plan) -> int:
    numbers = max((activations(rung.network, brief, plan.input) for rung in plan.ladder.rungs), default=0)
    allowed = MEMORY_SHARE * _free_mib(brief) * 2**20
    while size > SMALLEST and size * numbers * KEPT_BYTES > allowed:
        size //= 2
    return size


def _free_mib(brief: Brief) -> int:
    return brief.machine.gpu_memory_mib if brief.machine.gpu else brief.machine.free_mib


TIP = Tip(name="batch-size", decide=decide)
