"""Mask batch: a few patches a step, about as many voxels as a step is worth.

Helps: a step of one patch follows the noise of that patch; voxels of one patch are near copies of each other.
Hurts: large batches of large patches leave few steps, and need the memory.
Cost: time in proportion.
Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z (two patches at least, more where they are small).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Batch, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Tip
from fieldcraft.tips.masks import INPUTS, known, voxels

LEAST, MOST = 2, 32
VOXELS_CPU, VOXELS_GPU = 130_000, 1_000_000
"""In the patches of one step, about."""


def decide(brief: Brief, plan: Plan) -> Applied:
    """As many patches as make up the voxels of a step, two at least."""
    _, sample, _ = known(brief, plan)
    wanted = VOXELS_GPU if brief.machine.gpu else VOXELS_CPU
    size = max(LEAST, min(MOST, round(wanted / voxels(sample))))
    micro = plan.batch.micro if plan.batch.micro is None else min(plan.batch.micro, size)
    return Applied(
        plan=replace(plan, batch=Batch(size=size, micro=micro)),
        because=f"patches of {voxels(sample):,} voxels: {size} of them make up {size * voxels(sample):,} a step",
    )


TIP = Tip(name="mask-batch", decide=decide, inputs=INPUTS)
