"""Output stride: dilate instead of shrinking the map, where structures are thinner than a step and no skip saves them.

Helps: sheets, vessels and membranes that vanish between two positions of a strided map.
Hurts: dilation keeps maps large: a network of the same depth takes many times the multiply-adds and the memory.
Cost: for each halving that is left out, the stages behind it cost four (in 2-D) or eight times as much. At equal
weights and steps, stride 4 was 0.24 Dice of membranes ahead of 16 for 3.6 times the time, stride 8 was 0.18 ahead for
1.4 times.
Source: Chen et al. 2017, arXiv:1706.05587; Yu and Koltun 2016, arXiv:1511.07122.
"""

from fieldcraft.plan.masks import Atrous, PatchInput, UNet
from fieldcraft.plan.schema import Network, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, known, thickness, thinnest, total_stride, unets, with_mask_networks

LARGEST = 8
RATES = (1, 2, 3)
"""Dilations at the end, in multiples of a sixth of the map's side."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Swap U-Nets without skips for atrous networks where structures are thin."""
    facts, sample, _ = known(brief, plan)
    if not unets(plan):
        return Skipped(because="no network of the ladder shrinks its map by levels that could be changed")
    width, stride = thickness(facts), max(total_stride(unets(plan)[-1]))
    told = f"{thinnest(facts)} is about {width:.2g} voxels thick, the deepest map has one position for {stride}"
    if width >= stride:
        return Skipped(because=f"{told}: nothing falls between")
    if all(network.skips for network in unets(plan)):
        return Skipped(because=f"{told}: the skips bring back what falls between")
    if any(side == 1 for side in sample.patch):
        return Skipped(because=f"{told}, but slices of a volume have no atrous network")
    wanted = 1
    while 2 * wanted <= min(width, LARGEST):
        wanted *= 2
    return Applied(
        plan=with_mask_networks(plan, lambda network: _atrous(network, sample, wanted)),
        because=f"{told}, and no skips: the map shrinks by {wanted} at most, dilation sees as far",
    )


def _atrous(network: Network, sample: PatchInput, stride: int) -> Network:
    if not isinstance(network, UNet) or network.skips:
        return network
    sixth = max(1, min(64, min(sample.patch) // stride // 6))
    return Atrous(
        widths=network.widths,
        depths=(1,) * len(network.widths),
        output_stride=stride,
        rates=tuple(dict.fromkeys(max(1, min(64, sixth * rate)) for rate in RATES)),
        norm=network.norm,
        activation=network.activation,
    )


TIP = Tip(
    name="output-stride",
    decide=decide,
    refines=("mask-network", "mask-kernels", "mask-depth", "skips"),
    inputs=INPUTS,
)
