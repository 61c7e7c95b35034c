"""Norm: normalise each layer's numbers over the batch, between the linear map and the activation.

Helps: rates can be many times higher, so that training takes fewer steps; about half of all rectifiers stay active.
Hurts: statistics of a handful of samples are noise. Below 16 samples at once images get group norm and rows of a table
layer norm, within each sample; so do images where no stage has two groups of four channels. Instance norm is for images
whose contrast is to be forgotten (style transfer) and never chosen here: on ImageNet it lost 4.8 points to batch norm.
Cost: memory for one more copy of each map; some 10 % of the time of a convolutional step.
Source: Ioffe and Szegedy 2015, arXiv:1502.03167 (its place: section 3.2); Wu and He 2018, arXiv:1803.08494 (table 1,
figure 5); Ba et al. 2016, arXiv:1607.06450; Ulyanov et al. 2016, arXiv:1607.08022.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Cnn, Imported, Linear, Mlp, Network, Norm, Plan, ResNet
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

LEAST_BATCH = 16
TWO_GROUPS = 8
"""Channels from which on a stage has two groups of at least four; one group is layer norm."""
OTHERS = (Linear, Imported)


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Batch norm where enough samples pass at once; within each sample, by groups or as a whole, where they do not."""
    if not any(isinstance(rung.network, Cnn | ResNet | Mlp) for rung in plan.ladder.rungs):
        return Skipped(because="no network of the ladder has layers between which a norm could stand")
    together = min(plan.batch.size, plan.batch.micro or plan.batch.size)
    enough = together >= LEAST_BATCH
    changed = with_networks(plan, lambda network: _normed(network, batch=enough))
    kinds = dict.fromkeys(rung.network.norm for rung in changed.ladder.rungs if not isinstance(rung.network, OTHERS))
    chosen = " and ".join(f"{kind} norm" for kind in kinds)
    at_once = f"{together} samples pass at once"
    if enough:
        return Applied(plan=changed, because=f"{at_once}, {LEAST_BATCH} or more: {chosen}, before the activation")
    return Applied(
        plan=changed, because=f"{at_once}, fewer than {LEAST_BATCH}: {chosen} within each sample, before the activation"
    )


def _normed(network: Network, *, batch: bool) -> Network:
    kind: Norm
    match network:
        case Cnn() | ResNet():
            kind = "batch" if batch else "group" if max(network.widths) >= TWO_GROUPS else "layer"
            return replace(network, norm=kind, norm_place="before-activation")
        case Mlp():
            kind = "batch" if batch else "layer"
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
