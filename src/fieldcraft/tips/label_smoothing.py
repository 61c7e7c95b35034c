"""Label smoothing: give every class a small share of each target.

Helps: hard targets go on widening the logits after a sample is right; a share for all classes caps that, which
keeps small sets from being learnt by heart.
Hurts: models that are to teach a student later, and tasks of two or three classes, where the share rivals the truth.
Cost: no measurable time or memory; probabilities come out less sharp, which calibration puts right.
Source: Szegedy et al. 2016, arXiv:1512.00567, section 7; Mueller et al. 2019, arXiv:1906.02629 (when it hurts).
"""

from dataclasses import replace

from fieldcraft.plan.schema import CrossEntropy, Plan, SingleLabel
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.watches import miscalibrated

SHARE = 0.1
LEAST_CLASSES = 4


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Smooth the targets of one class a sample, of four or more."""
    if not isinstance(plan.task, SingleLabel):
        return Skipped(because=f"the task is {plan.task.kind}: targets are not one class a sample")
    if not isinstance(plan.task.loss, CrossEntropy):
        return Skipped(because=f"the loss is your own: {plan.task.loss.target}")
    if brief.outputs < LEAST_CLASSES:
        return Skipped(because=f"{brief.outputs} classes, fewer than {LEAST_CLASSES}: the share would rival the truth")
    task = replace(plan.task, loss=replace(plan.task.loss, label_smoothing=SHARE))
    each = SHARE / brief.outputs
    shares = f"the true one keeps {1 - SHARE + each:.3g}, the others get {each:.3g} each"
    return Applied(
        plan=replace(plan, task=task),
        because=f"{brief.outputs} exclusive classes: {shares}",
    )


TIP = Tip(name="label-smoothing", decide=decide, watches=(miscalibrated.WATCH,))
