"""Mask strength: the more often each case will be seen, the more of its patches are changed, and by more.

A few dozen passes over the cases learn most of what they have to teach. Where a fast machine takes hundreds, a network
of this kind begins to know the cases by heart: its loss keeps falling while validation no longer rises.

Helps: long trainings on few cases. Of 177 volumes of hippocampus, after 108 passes, Dice on validation was the same
with mild and with strong changes (0.889 and 0.890), but looks on the way were falling with mild ones (from 0.909 to
0.905) and rising with strong ones (from 0.897 to 0.908); one fold, one training each (benchmarks/mask_strength.py).
Hurts: short trainings, which see no case often enough to know it; so it looks at the planned steps first.
Cost: more patches are sampled between voxels and bent. Steps were timed before, with mild changes.
Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z (angles and sizes; the shares are higher here).
"""

from dataclasses import replace

from fieldcraft.plan.masks import MaskAugment, PatchInput
from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.records.segmentation import CaseFacts
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, known, steps_a_pass

OFTEN = 100.0
"""Passes over the voxels of the training cases from which on changes are strong."""
SHAPE_SHARE, LOOK_SHARE = 0.6, 0.3
TURN_DEG, SCALE, ELASTIC = 30.0, 0.3, 3.0


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Strengthen what the tips for masks chose; what they left out for a reason stays out."""
    facts, sample, _ = known(brief, plan)
    if not plan.ladder.rungs:
        return Skipped(because="the ladder has no networks")
    passes = passes_over(facts, sample, plan, brief.data.train)
    if passes < OFTEN:
        return Skipped(because=f"each case is seen about {passes:.0f} times, under {OFTEN:.0f}: changes stay mild")
    augment = strengthened(sample.augment)
    return Applied(
        plan=replace(plan, input=replace(sample, augment=augment)),
        because=f"each case is seen about {passes:,.0f} times: changes of shape that were chosen come to "
        f"{augment.shape_share:.0%} of the patches, those of intensity to {augment.look_share:.0%} each",
    )


def passes_over(facts: CaseFacts, sample: PatchInput, plan: Plan, cases: int) -> float:
    """How often the largest network sees each voxel of the training cases, about."""
    steps = next((rung.steps for rung in reversed(plan.ladder.rungs) if not rung.copy_of), 0)
    return steps / steps_a_pass(facts, sample, plan.batch.size, cases)


def strengthened(augment: MaskAugment) -> MaskAugment:
    """More patches, larger angles and sizes, and smooth bends; no mirrors and no turns that were not there."""
    shapes = bool(augment.scale or augment.rotate_deg)
    return replace(
        augment,
        shape_share=max(augment.shape_share, SHAPE_SHARE),
        look_share=max(augment.look_share, LOOK_SHARE),
        rotate_deg=max(augment.rotate_deg, TURN_DEG) if augment.rotate_deg else 0.0,
        scale=max(augment.scale, SCALE) if augment.scale else 0.0,
        elastic=max(augment.elastic, ELASTIC) if shapes else augment.elastic,
    )


TIP = Tip(name="mask-strength", decide=decide, refines=("mask-symmetry", "mask-intensities"), inputs=INPUTS)
