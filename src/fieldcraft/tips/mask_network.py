"""Mask network: an encoder that sees far and a decoder that is exact, small first, above baselines without a network.

What is laid down here is the plain form (5-voxel kernels, pooling, no skips, no norms, leaky rectifiers); the tips that
come after turn it into today's, each with its own reason.

Helps: a voxel's class depends on what is around it, far and near.
Hurts: where colour alone decides, boosted trees over filters are as good, and run first.
Cost: the small network takes about a third of the time.
Source: Ronneberger et al. 2015, arXiv:1505.04597; Long et al. 2015, arXiv:1411.4038.
"""

from dataclasses import replace

from fieldcraft.plan.masks import UNet
from fieldcraft.plan.schema import Baseline, Imported, Ladder, Plan, Rung
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, foreground, known

FIRST_LR = 1e-3
"""A rate that no network of these minds, until the optimiser is chosen."""
ALIGNED = 0.15
"""Deviation of the centres of all classes, as a share of the frame, up to which cases are taken to be aligned."""
BASE = 8
"""Channels of the small network's finest level; the large one has twice as many."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Lay down two encoder-decoders and the baselines that fit the data."""
    facts, sample, _ = known(brief, plan)
    own = [rung.network.target for rung in plan.ladder.rungs if isinstance(rung.network, Imported)]
    if own:
        return Skipped(because=f"the network is your own: {own[0]}")
    flat = tuple(side == 1 for side in sample.patch)
    kernel = tuple(1 if one else 5 for one in flat)
    stride = tuple(1 if one else 2 for one in flat)
    rungs = tuple(
        Rung(
            name=name,
            network=UNet(
                widths=(width, 2 * width), depths=(depth, depth), decoder_depth=depth, kernels=(kernel, kernel),
                strides=(stride,), downsample="max-pool", skips=False, norm="none", activation="leaky-relu",
            ),
            steps=1,
            lr=FIRST_LR,
        )
        for name, width, depth in (("small", BASE, 1), ("large", 2 * BASE, 2))
    )  # fmt: skip
    spread = max((max(one.centre_std) for one in foreground(facts) if one.centre_std), default=1.0)
    aligned = spread <= ALIGNED
    baselines: tuple[Baseline, ...] = ("mean-shape", "voxel-boosting") if aligned else ("voxel-boosting",)
    where = f"centres of classes stray by {spread:.0%} of the frame: {'aligned' if aligned else 'not aligned'}"
    return Applied(
        plan=replace(plan, ladder=Ladder(baselines=baselines, rungs=rungs, climb="while-it-pays")),
        because=f"{brief.data.train:,} training cases, {len(facts.classes.value)} classes: a small and a large "
        f"encoder-decoder above {' and '.join(baselines)} ({where})",
    )


TIP = Tip(name="mask-network", decide=decide, inputs=INPUTS)
