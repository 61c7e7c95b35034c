"""Mixup and cutmix: blend pairs of images, or paste a part of one into another, and blend their labels alike.

It stays out by itself: both are known to pay in courses of hundreds of passes, and no gain was measured in the courses
that budgets of minutes allow. `--set input.augment.cutmix=1.0` or `input.augment.mixup=0.2` turns one on.

Helps: long training of large networks on few samples, which would else learn the training part by heart.
Hurts: short courses, which do not yet fit what they are shown; confidence, as every target is a mixture.
Cost: a pass over the batch; the loss must take shares of classes.
Source: Zhang et al. 2018, arXiv:1710.09412; Yun et al. 2019, arXiv:1905.04899 (300 passes over CIFAR and ImageNet).
"""

from fieldcraft.plan.schema import ImageInput, Plan, Regression
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Skipped, Tip
from fieldcraft.tips.rough import likely_epochs

PUBLISHED_EPOCHS = 300


def decide(brief: Brief, plan: Plan) -> Skipped:
    """Say why it stays out, or that it was asked for."""
    sample = plan.input
    if not isinstance(sample, ImageInput):
        return Skipped(because="rows of a table: between two of them there need not be a third")
    if isinstance(plan.task, Regression):
        return Skipped(because="the task is regression: only classes and labels are blended")
    if sample.augment.mixup or sample.augment.cutmix:
        return Skipped(
            because=f"asked for: mixup {sample.augment.mixup:g}, cutmix {sample.augment.cutmix:g} stay as they are"
        )
    return Skipped(
        because=f"about {likely_epochs(brief)} passes are likely; it was published for {PUBLISHED_EPOCHS}, and shorter "
        "courses do not yet fit unblended images"
    )


TIP = Tip(name="mixup-and-cutmix", decide=decide)
