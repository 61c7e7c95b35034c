"""Label smoothing: give every class a small share of each target.

Helps: hard targets go on widening the logits after a sample is right; a share for all classes caps that, which
keeps small sets from being learnt by heart. Where the labels are known to be wrong, the share follows how many are:
flips to random classes are, on average, such a share, so targets that admit it are not contradicted by them.
Hurts: models that are to teach a student later, and tasks of two or three classes, where the share rivals the truth.
Cost: no measurable time or memory; probabilities come out less sharp, which calibration puts right.
Source: Szegedy et al. 2016, arXiv:1512.00567, section 7; Mueller et al. 2019, arXiv:1906.02629 (when it hurts);
Lukasik et al. 2020, arXiv:2003.02819 (under noise).
"""

from dataclasses import replace

from fieldcraft.plan.schema import CrossEntropy, Plan, SingleLabel
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.watches import miscalibrated

SHARE = 0.1
MOST = 0.3
"""Share at most, however many labels are wrong."""
LEAST_CLASSES = 4


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Smooth the targets of one class a sample, of four or more."""
    if not isinstance(plan.task, SingleLabel):
        return Skipped(because=f"the task is {plan.task.kind}: targets are not one class a sample")
    if not isinstance(plan.task.loss, CrossEntropy):
        return Skipped(because=f"the loss is your own: {plan.task.loss.target}")
    if brief.outputs < LEAST_CLASSES:
        return Skipped(because=f"{brief.outputs} classes, fewer than {LEAST_CLASSES}: the share would rival the truth")
    share, noise = _share(brief)
    task = replace(plan.task, loss=replace(plan.task.loss, label_smoothing=share))
    each = share / brief.outputs
    shares = f"the true one keeps {1 - share + each:.3g}, the others get {each:.3g} each"
    return Applied(
        plan=replace(plan, task=task),
        because=f"{brief.outputs} exclusive classes: {shares}{noise}",
    )


def _share(brief: Brief) -> tuple[float, str]:
    """The usual share, or a larger one where the lower end of the label-noise estimate asks for it; and why, in words.

    Labels of which a share is replaced by another class, any with the same chance, are labels smoothed by
    share * K / (K - 1). The lower end counts, since what looks like noise may be difficulty.
    """
    noise = brief.data.deep.noise
    if noise is None or noise.labels is None or noise.labels_95 is None:
        return SHARE, ""
    low, high = noise.labels_95
    wanted = min(MOST, round(low * brief.outputs / (brief.outputs - 1), 2))
    if wanted <= SHARE:
        return SHARE, ""
    return wanted, f"; {low:.1%} to {high:.1%} of the labels are wrong, so more than the usual {SHARE:g}"


TIP = Tip(name="label-smoothing", decide=decide, watches=(miscalibrated.WATCH,))
