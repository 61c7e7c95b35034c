"""Mask norm: normalise each patch by itself where a batch has only a few of them.

Helps: statistics over two patches are noise, and differ between training and prediction.
Hurts: instance norm forgets how strong a patch is as a whole; on maps of a few positions its statistics are noise as
well, and groups of channels share them. In trainings of 160 steps on hippocampus batch norm was no worse at two
patches, and ahead where no threshold was fitted (benchmarks/segmentation_claims.py).
Cost: memory for one more copy of each map.
Source: Ulyanov et al. 2016, arXiv:1607.08022; Wu and He 2018, arXiv:1803.08494; Ioffe and Szegedy 2015,
arXiv:1502.03167.
"""

from dataclasses import replace
from math import prod

from fieldcraft.plan.masks import Atrous, DeepMedic, PatchInput, UNet
from fieldcraft.plan.schema import Network, Norm, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, known, with_mask_networks

LEAST_PATCHES = 8
"""At once, from which on their statistics together are used."""
LEAST_POSITIONS = 8
"""Of the smallest map, from which on a patch's own statistics are used."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Instance norm for small batches, group norm where maps become tiny, batch norm where patches are many."""
    _, sample, _ = known(brief, plan)
    if not any(isinstance(rung.network, UNet | DeepMedic | Atrous) for rung in plan.ladder.rungs):
        return Skipped(because="no network of the ladder has layers between which a norm could stand")
    together = min(plan.batch.size, plan.batch.micro or plan.batch.size)
    changed = with_mask_networks(plan, lambda network: _normed(network, sample, together))
    kinds = dict.fromkeys(
        rung.network.norm for rung in changed.ladder.rungs if isinstance(rung.network, UNet | DeepMedic | Atrous)
    )
    fewest = min(_positions(rung.network, sample) for rung in changed.ladder.rungs)
    return Applied(
        plan=changed,
        because=f"{together} patches pass at once, batch norm needs {LEAST_PATCHES}; the smallest map has {fewest:,} "
        f"positions: {' and '.join(f'{kind} norm' for kind in kinds)}",
    )


def _normed(network: Network, sample: PatchInput, together: int) -> Network:
    if not isinstance(network, UNet | DeepMedic | Atrous):
        return network
    within: Norm = "instance" if _positions(network, sample) >= LEAST_POSITIONS else "group"
    return replace(network, norm="batch" if together >= LEAST_PATCHES else within)


def _positions(network: Network, sample: PatchInput) -> int:
    """Of the smallest map that a norm stands behind."""
    if isinstance(network, UNet):
        sides = list(sample.patch)
        for stride in network.strides:
            sides = [-(-side // step) for side, step in zip(sides, stride, strict=False)]
        return prod(sides)
    if isinstance(network, DeepMedic):
        lost = len(network.widths) * (network.kernel[0] - 1)
        return prod(max(1, -(-max(1, side - lost) // max(network.factors, default=1))) for side in sample.patch)
    return 1 if isinstance(network, Atrous) and network.image_pooling else prod(sample.patch)


TIP = Tip(name="mask-norm", decide=decide, refines=("mask-network", "output-stride", "two-pathways"), inputs=INPUTS)
