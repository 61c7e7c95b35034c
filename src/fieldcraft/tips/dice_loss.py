"""Dice loss: descend on the overlap itself, beside cross-entropy.

Cross-entropy counts voxels, and most of them are background; the Dice loss counts each class alike, but its gradient is
poor where a class is missed altogether. Their sum has neither fault.

Helps: rare classes, and whenever overlap is what is judged.
Hurts: probabilities become overconfident: calibration is worth more after it.
Cost: none to speak of.
Source: Milletari et al. 2016, arXiv:1606.04797; Isensee et al. 2021, doi:10.1038/s41592-020-01008-z.
"""

from dataclasses import replace

from fieldcraft.plan.masks import MaskLoss
from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, called, foreground, known


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Add the Dice loss where overlap is judged."""
    facts, _, task = known(brief, plan)
    if not isinstance(task.loss, MaskLoss):
        return Skipped(because=f"the loss is your own: {task.loss.target}")
    rarest = min(foreground(facts), key=lambda one: one.share, default=None)
    if rarest is None:
        return Skipped(because="there is no class but the background")
    loss = replace(task.loss, dice=1.0, cross_entropy=1.0)
    return Applied(
        plan=replace(plan, task=replace(task, loss=loss)),
        because=f"{called(rarest)} has {rarest.share:.2%} of the voxels, and {task.metric} is judged: Dice and "
        "cross-entropy, as much of each",
    )


TIP = Tip(name="dice-loss", decide=decide, inputs=INPUTS)
