"""Slices or volumes: convolve in three dimensions unless objects span a few thick slices only.

Helps: where slices are much thicker than wide and objects are cut two or three times, neighbours say little about each
other, and a network of slices learns from each of them.
Hurts: organs that only their neighbourhood above and below tells apart.
Cost: a kernel of 3x3x3 has three times the weights and multiply-adds of 3x3x1.
Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z (slices are planned for where spacing differs by three).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, foreground, known

ANISOTROPY = 3.0
"""Spacing along the coarsest axis over that along the finest, from which on slices may be the better choice."""
FEW_SLICES = 4.0
"""Objects that half of the time span fewer slices than this are flat."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """One voxel along the coarsest axis where spacing and objects ask for it."""
    facts, sample, _ = known(brief, plan)
    if facts.spatial != 3:
        return Skipped(because=f"cases have {facts.spatial} spatial axes: nothing to choose")
    spacing = [one.median for one in facts.spacing.value]
    axis = spacing.index(max(spacing))
    spans = [one.extent_px[axis].median for one in foreground(facts) if one.extent_px]
    span = max(spans, default=facts.shape.value[axis].median)
    told = f"spacing {'x'.join(f'{one:.3g}' for one in spacing)} {facts.unit}, objects span {span:.3g} slices"
    if facts.anisotropy.value < ANISOTROPY or span >= FEW_SLICES:
        return Skipped(because=f"{told}: volumes, as neighbours belong to the same objects")
    patch = tuple(1 if place == axis else side for place, side in enumerate(sample.patch))
    return Applied(
        plan=replace(plan, input=replace(sample, patch=patch)),
        because=f"{told}, fewer than {FEW_SLICES:g} at {facts.anisotropy.value:.2g} times the spacing: slices",
    )


TIP = Tip(name="slices-or-volumes", decide=decide, inputs=INPUTS)
