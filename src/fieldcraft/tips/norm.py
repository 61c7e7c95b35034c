"""Norm: normalise each layer's numbers over the batch, between the linear map and the activation.

Helps: rates can be many times higher, so that training takes fewer steps; about half of all rectifiers stay active.
Hurts: statistics of a handful of numbers are noise. Below 16 rows of a table at once the norm is layer norm; below 8
images it is group norm (layer norm where no stage has two groups of four channels). On ImageNet batch norm falls behind
group norm from 8 images at once down; in short training on small images it did not: with 8 at once it gained 5.4 points
(2.3 to 8.4, four seeds of 700 steps, validation images of CIFAR-10 at 16 px), with 4 and 2 the interval holds nought.
Instance norm is for images whose contrast is to be forgotten, and never chosen: there it lost 17 points (6 to 27).
Cost: memory for one more copy of each map; some 10 % of the time of a convolutional step.
Source: Ioffe and Szegedy 2015, arXiv:1502.03167 (its place: section 3.2); Wu and He 2018, arXiv:1803.08494 (table 1,
figure 5); Ba et al. 2016, arXiv:1607.06450; Ulyanov et al. 2016, arXiv:1607.08022.
"""

from collections.abc import Iterator
from dataclasses import replace

from fieldcraft.plan.schema import Cnn, Imported, Linear, Mlp, Network, Norm, Plan, Pretrained, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rules import (
    batch_norm_tiny_batch,
    bias_before_norm,
    dropout_before_batch_norm,
    foldable_norm,
    norm_after_activation,
    two_norms_in_a_row,
)
from fieldcraft.tips.rungs import with_networks

LEAST_IMAGES, LEAST_ROWS = 8, 16
"""Samples at once from which on their own statistics are used; an image gives each channel many numbers, a row one."""
TWO_GROUPS = 8
"""Channels from which on a stage has two groups of at least four; one group is layer norm."""
OTHERS = (Linear, Pretrained, Imported)


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Batch norm where enough samples pass at once; within each sample, by groups or as a whole, where they do not."""
    if not any(isinstance(rung.network, Cnn | ResNet | Mlp) for rung in plan.ladder.rungs):
        return Skipped(because="no network of the ladder has layers between which a norm could stand")
    together = min(plan.batch.size, plan.batch.micro or plan.batch.size)
    changed = with_networks(plan, lambda network: _normed(network, together))
    kinds = dict.fromkeys(rung.network.norm for rung in changed.ladder.rungs if not isinstance(rung.network, OTHERS))
    chosen = " and ".join(f"{kind} norm" for kind in kinds)
    needed = " and ".join(f"{least} {what}" for what, least in _needs(changed))
    return Applied(
        plan=changed,
        because=f"{together} samples pass at once, batch norm needs {needed}: {chosen}, before the activation",
    )


def _needs(plan: Plan) -> Iterator[tuple[str, int]]:
    networks = [rung.network for rung in plan.ladder.rungs]
    if any(isinstance(network, Cnn | ResNet) for network in networks):
        yield "images", LEAST_IMAGES
    if any(isinstance(network, Mlp) for network in networks):
        yield "rows", LEAST_ROWS


def _normed(network: Network, together: int) -> Network:
    kind: Norm
    match network:
        case Cnn() | ResNet():
            within: Norm = "group" if max(network.widths) >= TWO_GROUPS else "layer"
            kind = "batch" if together >= LEAST_IMAGES else within
            return replace(network, norm=kind, norm_place="before-activation")
        case Mlp():
            kind = "batch" if together >= LEAST_ROWS else "layer"
            return replace(network, norm=kind)
        case _:
            return network


TIP = Tip(
    name="norm",
    decide=decide,
    refines=("architecture", "residual-connections"),
    checks=(
        bias_before_norm.RULE,
        norm_after_activation.RULE,
        two_norms_in_a_row.RULE,
        batch_norm_tiny_batch.RULE,
        dropout_before_batch_norm.RULE,
        foldable_norm.RULE,
    ),
)
