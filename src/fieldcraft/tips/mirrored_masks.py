"""Mirrored masks: predict each case mirrored as well, and average, along axes that training mirrors.

Helps: a little, nearly always, where labels survive mirroring.
Hurts: where they do not; there it stays out, whatever it would gain in overlap.
Cost: predictions take twice as long for each axis.
Source: Wang et al. 2019, arXiv:1807.07356; Isensee et al. 2021, doi:10.1038/s41592-020-01008-z.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, known

MOST_AXES = 2
"""Along which is mirrored: four predictions instead of one."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Mirror predictions along what training mirrors."""
    _, sample, task = known(brief, plan)
    axes = sample.augment.flip[:MOST_AXES]
    if not axes:
        return Skipped(because="training mirrors along none of the axes: masks do not show that labels survive it")
    masks = replace(task.masks, mirror=axes)
    return Applied(
        plan=replace(plan, task=replace(task, masks=masks)),
        because=f"labels survive mirroring along {len(axes)} axes: averaged over {2 ** len(axes)} predictions",
    )


TIP = Tip(name="mirrored-masks", decide=decide, inputs=INPUTS)
