"""Optimiser: SGD with Nesterov momentum at a high rate for convolutions, AdamW for everything else.

Helps: with norms, SGD at a high rate ends in solutions that carry over to new images; AdamW needs no rate to be found
for rows of a table and for networks whose inside is not known.
RMSProp is never chosen, only kept where it was set by hand: AdamW is RMSProp with momentum, a correction for the first
steps and decay apart from the gradient. It is for repeating a recipe that was tuned with it (MobileNet, EfficientNet,
reinforcement learning), and for weights so many that AdamW's second copy does not fit.
Hurts: the high rate diverges without norms, so it is ten times lower there.
Cost: one copy of the weights for SGD and RMSProp, two for AdamW.
Source: Sutskever et al. 2013, ICML (Nesterov momentum); Goyal et al. 2017, arXiv:1706.02677 (rate and batch);
Wilson et al. 2017, arXiv:1705.08292; Loshchilov and Hutter 2019, arXiv:1711.05101 (AdamW);
Tieleman and Hinton 2012, lecture 6e (RMSProp).
"""

from dataclasses import replace
from math import sqrt

from fieldcraft.plan.schema import AdamW, Cnn, Mlp, Network, Optimiser, Plan, ResNet, RmsProp, Sgd
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.watches import idle_layers, large_updates, loss_spikes

SGD_LR, ADAMW_LR, OWN_LR = 0.4, 2e-3, 1e-3
"""Peak rates; the first two for `REFERENCE_BATCH` samples a step, the last for one's own network."""
REFERENCE_BATCH = 128
SGD_BOUNDS, ADAMW_BOUNDS = (0.02, 0.4), (1e-3, 4e-3)
WITHOUT_NORM = 0.1


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Choose by the family of the networks, and give each rung its peak rate."""
    networks = [rung.network for rung in plan.ladder.rungs]
    if not networks:
        return Skipped(because="the ladder has no networks")
    by_hand = plan.optimiser if isinstance(plan.optimiser, RmsProp) else None
    sgd = by_hand is None and all(isinstance(network, Cnn | ResNet) for network in networks)
    rungs = tuple(replace(rung, lr=_lr(rung.network, plan.batch.size, sgd=sgd)) for rung in plan.ladder.rungs)
    changed = replace(
        plan, ladder=replace(plan.ladder, rungs=rungs), optimiser=by_hand or _chosen(plan.optimiser, sgd=sgd)
    )
    name = "convolutions: SGD with Nesterov momentum" if sgd else "no ladder of convolutions alone: AdamW"
    if by_hand:
        name = "RMSProp, set by hand, stays"
    rates = " and ".join(dict.fromkeys(f"{rung.lr:g}" for rung in rungs))
    return Applied(plan=changed, because=f"{name}, peak rate {rates} for {plan.batch.size} samples a step")


def _chosen(before: Optimiser, *, sgd: bool) -> Optimiser:
    """The optimiser, with the decay that was decided already."""
    decay, everywhere = before.weight_decay, before.decay_norms_and_biases
    if sgd:
        return Sgd(momentum=0.9, nesterov=True, weight_decay=decay, decay_norms_and_biases=everywhere)
    return AdamW(weight_decay=decay, decay_norms_and_biases=everywhere)


def _lr(network: Network, batch: int, *, sgd: bool) -> float:
    if sgd:
        low, high = SGD_BOUNDS
        normed = not isinstance(network, Cnn | ResNet) or network.norm != "none"
        return round(min(high, max(low, SGD_LR * batch / REFERENCE_BATCH)) * (1 if normed else WITHOUT_NORM), 6)
    if not isinstance(network, Mlp):
        return OWN_LR
    low, high = ADAMW_BOUNDS
    return round(min(high, max(low, ADAMW_LR * sqrt(batch / REFERENCE_BATCH))), 6)


TIP = Tip(
    name="optimiser",
    decide=decide,
    refines=("architecture",),
    watches=(
        large_updates.WATCH,
        idle_layers.WATCH,
        loss_spikes.WATCH,
    ),
)
