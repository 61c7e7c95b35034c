"""Norm: normalise each layer's numbers over the batch, between the linear map and the activation.

Helps: rates can be many times higher, so that training takes fewer steps; about half of all rectifiers stay active.
Hurts: statistics of a handful of samples are noise: below 16 samples a step groups of channels are used instead.
Cost: memory for one more copy of each map; some 10 % of the time of a convolutional step.
Source: Ioffe and Szegedy 2015, arXiv:1502.03167 (its place: section 3.2); Wu and He 2018, arXiv:1803.08494.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Cnn, Mlp, Network, Norm, Plan, ResNet
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


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Batch norm where the batch carries it; group norm (layer norm for rows) where it does not."""
    if not any(isinstance(rung.network, Cnn | ResNet | Mlp) for rung in plan.ladder.rungs):
        return Skipped(because="no network of the ladder has layers between which a norm could stand")
    together = min(plan.batch.size, plan.batch.micro or plan.batch.size)
    enough = together >= LEAST_BATCH
    changed = with_networks(plan, lambda network: _normed(network, batch=enough))
    if enough:
        return Applied(
            plan=changed, because=f"{together} samples a step are enough for batch statistics; before the activation"
        )
    return Applied(
        plan=changed, because=f"{together} samples a step, fewer than {LEAST_BATCH}: norms within each sample instead"
    )


def _normed(network: Network, *, batch: bool) -> Network:
    kind: Norm
    match network:
        case Cnn() | ResNet():
            kind = "batch" if batch else "group"
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
