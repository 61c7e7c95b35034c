"""Dense crf: let every voxel ask every other whether they look alike, and move boundaries to the image's edges.

Helps: probabilities of coarse maps, where classes differ in intensity from what is beside them.
Hurts: thin structures, which it smooths away, and classes that look like their surroundings. U-Nets with skips leave it
little to do: 0.007 Dice and 0.02 boundary IoU on hippocampus, nothing sure on membranes. Before that it mends
probabilities that are off, which a threshold does as well.
Cost: up to a second or two a case. Validation decides whether it stays.
Source: Kraehenbuehl and Koltun 2011, arXiv:1210.5644; Kamnitsas et al. 2017, arXiv:1603.05959, section 2.5.
"""

from dataclasses import replace
from math import prod

from fieldcraft.plan.masks import CrfIfBetter, UNet
from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, foreground, known, shape_of, thickness

THIN = 4.0
"""Voxels across a class, below which smoothing does harm."""
LEAST_CONTRAST = 0.5
"""Between a class and all voxels, in deviations of all voxels."""
MOST_VOXELS = 1_000_000


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Try it behind networks without skips, where classes stand out and are thick."""
    facts, sample, task = known(brief, plan)
    width, contrast = thickness(facts), _contrast(brief)
    told = f"classes are {width:.2g} voxels thick and stand out by {contrast:.2g} deviations"
    if isinstance(task.masks.crf, CrfIfBetter):
        return Skipped(because=f"{told}; asked for by hand")
    if facts.within_volume:
        return Skipped(
            because="all slices are of one volume: validation cannot show that it gains, so it would never stay"
        )
    if width < THIN or contrast < LEAST_CONTRAST or prod(shape_of(facts, sample)) > MOST_VOXELS:
        return Skipped(because=f"{told}: it would find little; task.masks.crf.kind=dense-if-better by hand")
    if all(isinstance(rung.network, UNet) and rung.network.skips for rung in plan.ladder.rungs):
        return Skipped(
            because=f"{told}, but skips leave boundaries sharp already; task.masks.crf.kind=dense-if-better by hand"
        )
    masks = replace(task.masks, crf=CrfIfBetter())
    return Applied(
        plan=replace(plan, task=replace(task, masks=masks)), because=f"{told}, without skips: if validation gains"
    )


def _contrast(brief: Brief) -> float:
    """How far the class that stands out least is from all voxels, in the first channel."""
    facts = brief.cases
    assert facts is not None
    every = facts.intensity.value[0]
    seen = [one.intensity[0] for one in foreground(facts) if one.intensity]
    return min((abs(one.mean - every.mean) / max(every.std, 1e-12) for one in seen), default=0.0)


TIP = Tip(name="dense-crf", decide=decide, inputs=INPUTS)
