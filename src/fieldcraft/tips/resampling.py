"""Resampling: bring cases to one spacing, so that a voxel means the same everywhere.

Helps: kernels learn sizes in voxels; where spacings differ from case to case, the same organ comes in several sizes.
Hurts: resampling blurs; cases of one spacing are better left alone, and so is a coarse axis that is coarse everywhere.
Cost: reading each case takes longer, once; masks go back to their own grid at the end.
Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z (the median spacing as target).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, known

TOLERANCE = 1.1
"""Spacings of nine of ten cases over those of one of ten, up to which they are taken for the same."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """The median spacing where spacings differ; none where they agree."""
    facts, sample, _ = known(brief, plan)
    if facts.unit == "px":
        return Skipped(because="nothing is known of the spacing: voxels stay as they are")
    ratio = max(one.high / one.low for one in facts.spacing.value)
    if ratio <= TOLERANCE:
        return Skipped(because=f"spacings agree within a factor of {ratio:.3g}: voxels stay as they are")
    spacing = tuple(float(f"{one.median:.4g}") for one in facts.spacing.value)
    return Applied(
        plan=replace(plan, input=replace(sample, spacing=spacing)),
        because=f"spacings differ by a factor of {ratio:.3g}: all cases go to the median, "
        f"{'x'.join(f'{one:g}' for one in spacing)} mm",
    )


TIP = Tip(name="resampling", decide=decide, inputs=INPUTS)
