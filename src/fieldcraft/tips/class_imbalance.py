"""Class imbalance: where rare classes count as much as common ones, train as if all classes were of one size.

The metric decides, not the imbalance alone. Single-label tasks get logit adjustment: while training, each logit is
raised by the logarithm of its class's share, so that what the network says without it holds for classes of equal size.
Several labels get the square root of (absent / present) as the weight of a present one.

Helps: balanced accuracy and F1, which forget the common class's advantage.
Hurts: accuracy and log-loss, which the true shares serve best; probabilities then speak of classes of equal size until
calibration sharpens or softens them, and one temperature cannot bring the shares back.
Cost: none.
Source: Menon et al. 2021, arXiv:2007.07314 (adjustment); Cui et al. 2019, arXiv:1901.05555 (softened weights).
"""

from dataclasses import replace

from fieldcraft.plan.schema import BinaryCrossEntropy, CrossEntropy, MultiLabel, Plan, SingleLabel
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip

FROM_RATIO = 2.0
"""Largest class over smallest below which shares hardly matter: half a logit at most on either side."""
EVEN_METRICS = ("balanced-accuracy", "f1")


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Adjust the loss when the metric counts classes alike and their sizes differ."""
    task, imbalance = plan.task, brief.data.target.imbalance
    if not isinstance(task, SingleLabel | MultiLabel) or imbalance is None:
        return Skipped(because=f"the task is {task.kind}: it has no classes")
    ratio = f"largest class {imbalance.value:.3g} times the smallest"
    if imbalance.value < FROM_RATIO:
        return Skipped(because=f"{ratio}, under {FROM_RATIO:g}")
    if not isinstance(task.metric, str) or task.metric not in EVEN_METRICS:
        name = task.metric if isinstance(task.metric, str) else "your own metric"
        return Skipped(because=f"{ratio}, but {name} is judged at the shares that classes have")
    if isinstance(task, SingleLabel) and isinstance(task.loss, CrossEntropy):
        adjusted: SingleLabel | MultiLabel = replace(task, loss=replace(task.loss, logit_adjustment=1.0))
        how = "logits adjusted by the log of each class's share while training"
    elif isinstance(task, MultiLabel) and isinstance(task.loss, BinaryCrossEntropy):
        adjusted = replace(task, loss=replace(task.loss, class_weights="square-root"))
        how = "present labels weigh the square root of absent over present"
    else:
        return Skipped(because=f"{ratio} and {task.metric} wants classes alike, but the loss is your own")
    return Applied(plan=replace(plan, task=adjusted), because=f"{ratio} and {task.metric} counts classes alike: {how}")


TIP = Tip(name="class-imbalance", decide=decide)
