"""Skips: hand the encoder's maps to the decoder level by level, so that boundaries come back where they were.

Helps: what striding loses is where exactly a boundary runs. Overlap of rims shows it first; in short trainings plain
overlap gained in proportion, and the 95th percentile of distances not surely (docs/explain/segmentation-claims.md).
Hurts: where the image's own edges mislead and only the large shape counts, the decoder copies them.
Cost: maps of the encoder are kept, and the decoder's first convolution of each level takes twice the channels:
a step took 1.2 times as long.
Source: Ronneberger et al. 2015, arXiv:1505.04597; Drozdzal et al. 2016, arXiv:1608.04117.
"""

from dataclasses import replace
from math import prod

from fieldcraft.plan.masks import UNet
from fieldcraft.plan.schema import Network, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, costs, foreground, known, total_stride, unets, with_mask_networks

LEAST_BOUNDARY = 0.02
"""Share of a class's voxels at its boundary below which boundaries hardly count."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Skips wherever the map shrinks and boundaries are more than a sliver."""
    facts, sample, _ = known(brief, plan)
    if not unets(plan):
        return Skipped(because="no network of the ladder has a decoder")
    stride = total_stride(unets(plan)[-1])
    share = max((one.boundary or 0.0 for one in foreground(facts)), default=0.0)
    told = f"up to {share:.0%} of a class's voxels lie at its boundary, the deepest map has one for {prod(stride):,}"
    if max(stride) == 1 or share < LEAST_BOUNDARY:
        return Skipped(because=f"{told}: nothing is lost that skips could bring back")
    changed = with_mask_networks(plan, _skipping)
    before, after = (
        sum(macs for macs, _, _ in costs(unets(one)[-1], sample, brief.outputs)) for one in (plan, changed)
    )
    more = "no more multiply-adds" if after == before else f"{after / before - 1:.0%} more multiply-adds"
    return Applied(plan=changed, because=f"{told}: skips bring boundaries back, for {more}")


def _skipping(network: Network) -> Network:
    return replace(network, skips=True) if isinstance(network, UNet) else network


TIP = Tip(name="skips", decide=decide, refines=("mask-network",), inputs=INPUTS)
