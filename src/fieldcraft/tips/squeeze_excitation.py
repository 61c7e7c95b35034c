"""Squeeze-excitation: let every channel of a residual branch be gated by what all channels see of the whole image.

Off unless the plan asks for it (`ladder.rungs.NAME.network.squeeze_excitation=8`): in few steps it did not pay.

Helps: deep networks that are trained for long: a point of top-1 accuracy for ResNet-50 on ImageNet.
Hurts: nothing was shown in short training: +0.4 points (-4.2 to +5.1, three seeds of 200 steps, validation images of
CIFAR-10 at 16 px).
Cost: 2 channels^2 / reduction weights a block, hardly any multiply-adds, one more pass over the map of each block.
Source: Hu et al. 2017, arXiv:1709.01507.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rough import macs

REDUCTION = 16
"""Of the paper; its table 10 finds little difference between 2 and 32."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Keep the gates that the plan asks for, with their cost; add none."""
    networks = [rung.network for rung in plan.ladder.rungs if isinstance(rung.network, ResNet)]
    blocks = [network for network in networks if sum(network.depths)]
    if not blocks:
        return Skipped(because="no network of the ladder has residual blocks that gates could stand in")
    largest = blocks[-1]
    count = sum(largest.depths)
    if largest.squeeze_excitation:
        weights = _weights(largest, largest.squeeze_excitation, brief, plan)
        return Applied(plan=plan, because=f"asked for by hand: {count} gates take {weights:,} weights")
    weights = _weights(largest, REDUCTION, brief, plan)
    cost = f"{count} gates of reduction {REDUCTION} would take {weights:,} weights and a pass over {count} maps"
    return Skipped(because=f"{cost}, and did not pay in short training: by hand")


def _weights(network: ResNet, reduction: int, brief: Brief, plan: Plan) -> int:
    """Of all gates, biases left out: each takes part in one multiply-add a sample."""
    plain, gated = replace(network, squeeze_excitation=0), replace(network, squeeze_excitation=reduction)
    return macs(gated, brief, plan.input) - macs(plain, brief, plan.input)


TIP = Tip(name="squeeze-excitation", decide=decide)
