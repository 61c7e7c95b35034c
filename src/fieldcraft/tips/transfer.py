"""Transfer: take over the body of a network whose weights were given, with a fresh head for the task.

It becomes the last rung of the ladder, above the baselines and the networks that learn from nothing, so that the run
says whether it was worth it. Images are shown as the weights know them; sizes are kept where the network takes any,
down to 40 % of what the weights were trained at: on 280 photographs of office objects a linear map on SqueezeNet's
features reached 93.3 % at 96 px and 94.3 % at 227 px (deviation over five splits 2 points), at a tenth of the time.
Batch norms keep the statistics that they came with, unless there are many samples and enough of them pass at once:
statistics of a few images are noisier than those of the whole set that the weights were trained on.

Helps: few samples a class, and photographs of things.
Hurts: images unlike those of the weights (drawings, X-rays), and tiny ones, which are only made larger; from some
thousand samples a class on there is little left to gain. Weights that have seen the test images make results worthless.
Cost: the time of a rung; every prediction takes as long as the network that was taken over.
Source: Yosinski et al. 2014, arXiv:1411.1792; Kornblith et al. 2019, arXiv:1805.08974; Raghu et al. 2019,
arXiv:1902.07208 (where it hardly helps).
"""

from dataclasses import replace
from math import ceil

from fieldcraft.plan.schema import ImageInput, Plan, Pretrained, Rung, Sgd, Tuning
from fieldcraft.records.brief import Brief
from fieldcraft.records.weights import WeightsFacts
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.pretrained_rung import place_of

NAME = "pretrained"
"""Of the rung."""
ENOUGH_EACH = 5_000
"""Samples a class from which on nothing is taken over."""
LEAST_SHARE = 0.4
"""Smaller images are enlarged to this share of the size that the weights want."""
MOST_ENLARGED = 8
"""Times that images may be smaller than the weights want."""
ADAPT_FROM_TRAIN, ADAPT_FROM_BATCH = 5_000, 32
"""Samples for training, and at once, from which on batch norms learn the statistics of the new images."""
SGD_LR, SGD_LR_WITHOUT_NORMS, ADAPTIVE_LR = 0.01, 0.002, 1e-4
"""Peak rates, about a twentieth of those from nothing."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Add a rung with the first of the weights that fit the images."""
    if not brief.weights:
        return Skipped(because="no pretrained weights were given (--weights)")
    if place_of(plan) is not None:
        return Skipped(because="the ladder has a pretrained network already")
    if not isinstance(plan.input, ImageInput):
        return Skipped(because="the weights are of networks for images")
    each = brief.data.train // brief.outputs if brief.task == "single-label" else brief.data.train
    what = "samples a class" if brief.task == "single-label" else "samples"
    if each >= ENOUGH_EACH:
        return Skipped(because=f"{each:,} {what}: from {ENOUGH_EACH:,} on the time is left to networks that start anew")
    fit = fitting(brief, plan.input)
    if not fit:
        side = min(plan.input.height, plan.input.width)
        wanted = min(min(one.wants.height, one.wants.width) for one in brief.weights)
        return Skipped(
            because=f"images of {side} px would be enlarged {wanted / side:.0f} times to the {wanted} px of the "
            f"weights, more than {MOST_ENLARGED}: little of what these know would be in them"
        )
    rung = Rung(name=NAME, network=network_of(fit[0], brief, plan), steps=1, lr=rate(fit[0], plan))
    changed = replace(plan, ladder=replace(plan.ladder, rungs=(*plan.ladder.rungs, rung)))
    return Applied(plan=changed, because=f"{each:,} {what}; {told(fit[0], brief, changed)}")


def fitting(brief: Brief, sample: ImageInput) -> tuple[WeightsFacts, ...]:
    """The weights that want images not much larger than these."""
    side = min(sample.height, sample.width)
    return tuple(one for one in brief.weights if min(one.wants.height, one.wants.width) <= MOST_ENLARGED * side)


def network_of(weights: WeightsFacts, brief: Brief, plan: Plan) -> Pretrained:
    """The network that weights belong to, as it is taken over for these images."""
    assert isinstance(plan.input, ImageInput)
    wants = weights.wants
    height, width = _size(weights, plan.input)
    return Pretrained(
        weights=weights.file, digest=weights.digest, family=weights.family, model=weights.model, height=height,
        width=width, order=wants.order, mean=wants.mean, std=wants.std, full_scale=wants.full_scale,
        tuning=Tuning(statistics="adapted" if _adapts(weights, brief, plan) else "kept"),
    )  # fmt: skip


def rate(weights: WeightsFacts, plan: Plan) -> float:
    """The peak rate for fine-tuning with the plan's optimiser."""
    if not isinstance(plan.optimiser, Sgd):
        return ADAPTIVE_LR
    return SGD_LR if weights.norms else SGD_LR_WITHOUT_NORMS


def told(weights: WeightsFacts, brief: Brief, plan: Plan) -> str:
    """What is taken over, in words."""
    network = network_of(weights, brief, plan)
    norms = f"its {weights.norms} batch norms {network.tuning.statistics}" if weights.norms else "no batch norms"
    return (
        f"{weights.name} ({weights.family} {weights.model}, {weights.parameters / 1e6:.2g} M weights, "
        f"{weights.matched} tensors matched) sees {network.height}x{network.width} px {network.order}; {norms}"
    )


def _adapts(weights: WeightsFacts, brief: Brief, plan: Plan) -> bool:
    together = min(plan.batch.size, plan.batch.micro or plan.batch.size)
    return bool(weights.norms) and brief.data.train >= ADAPT_FROM_TRAIN and together >= ADAPT_FROM_BATCH


def _size(weights: WeightsFacts, sample: ImageInput) -> tuple[int, int]:
    wants = weights.wants
    if not weights.any_size:
        return wants.height, wants.width
    side, wanted = min(sample.height, sample.width), min(wants.height, wants.width)
    shown = min(wanted, max(side, ceil(LEAST_SHARE * wanted)))
    longest = 4096
    return min(longest, round(sample.height * shown / side)), min(longest, round(sample.width * shown / side))


TIP = Tip(name="transfer", decide=decide)
