"""Mask optimiser: AdamW at one rate for every network of masks.

Helps: gradients of Dice and of cross-entropy differ by orders of magnitude from voxel to voxel and from step to step;
steps of their own size for each weight do not mind.
Hurts: over a thousand passes, SGD with momentum at a rate of 0.01 ends as well or better.
Cost: two numbers more for each weight.
Source: Loshchilov and Hutter 2017, arXiv:1711.05101; Isensee et al. 2021, doi:10.1038/s41592-020-01008-z (SGD, for
thousands of steps).
"""

from dataclasses import replace

from fieldcraft.plan.schema import AdamW, Plan, RmsProp
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS

RATE = 3e-3
"""Peak rate for batches of a few patches, on a one-cycle schedule."""
WITHOUT_NORM = 0.1


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Fix optimiser and rates."""
    if not plan.ladder.rungs:
        return Skipped(because="the ladder has no networks")
    if isinstance(plan.optimiser, RmsProp):
        return Skipped(because="RMSProp, set by hand, stays")
    before = plan.optimiser
    optimiser = AdamW(weight_decay=before.weight_decay, decay_norms_and_biases=before.decay_norms_and_biases)
    rungs = tuple(
        replace(rung, lr=RATE * (WITHOUT_NORM if getattr(rung.network, "norm", "own") == "none" else 1))
        for rung in plan.ladder.rungs
    )
    rates = " and ".join(dict.fromkeys(f"{rung.lr:g}" for rung in rungs))
    return Applied(
        plan=replace(plan, optimiser=optimiser, ladder=replace(plan.ladder, rungs=rungs)),
        because=f"batches of {plan.batch.size} patches, whose gradients differ by orders of magnitude: AdamW, peak "
        f"rate {rates}",
    )


TIP = Tip(
    name="mask-optimiser",
    decide=decide,
    refines=("mask-network", "two-pathways", "pretrained-encoder"),
    inputs=INPUTS,
)
