"""Progressive resizing: train on smaller images for the first part of the steps, on whole ones for the rest.

It stays out by itself: no gain in accuracy was measured in the courses that budgets of minutes allow. Where it could
pay, it says how to turn it on; step times, cool-downs and resuming then follow the sizes.

Helps: budgets that end before a network has learnt all it can: the early steps cost about half, so that more fit in.
Hurts: objects of few pixels; networks that tie their weights to one size; courses that have time enough as it is.
Cost: none but a resize of each early batch, from bytes.
Source: Howard 2018, "Training Imagenet in 3 hours for USD 25", fast.ai; Touvron et al. 2019, arXiv:1906.06423.
"""

from fieldcraft.plan.schema import Cnn, ImageInput, Plan, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Skipped, Tip

UNTIL, SHARE_OF_SIDE = 0.6, 0.75
"""Of the steps, and of the side."""
EVEN_PX = 4
"""Smaller sides are multiples of this, so that maps can be halved."""
LEAST_SIDE_PX, LEAST_MAP_PX = 32, 3


def decide(brief: Brief, plan: Plan) -> Skipped:
    """Say why it stays out, or how it could be tried."""
    sample = plan.input
    if not isinstance(sample, ImageInput):
        return Skipped(because="rows of a table have no size")
    if sample.progressive:
        return Skipped(because=f"asked for: {len(sample.progressive)} smaller sizes first stay as they are")
    side = min(sample.height, sample.width)
    px = int(side * SHARE_OF_SIDE) // EVEN_PX * EVEN_PX
    if side < LEAST_SIDE_PX:
        return Skipped(because=f"images of {side} px have no pixels to spare, under {LEAST_SIDE_PX}")
    if not plan.ladder.rungs:
        return Skipped(because="the ladder has no networks")
    if unfit := next((rung.name for rung in plan.ladder.rungs if not _any_size(rung.network, px)), None):
        return Skipped(because=f"{unfit} takes one size only, or its last map would fall below {LEAST_MAP_PX} px")
    if brief.budget.seconds is None:
        return Skipped(because="without a limit, nothing is gained by cheaper steps")
    pixels = (px / side) ** 2
    return Skipped(
        because=f"{UNTIL:.0%} of the steps at {px} px would cost {pixels:.0%} each, but no gain was measured; to try "
        f"it: --set 'input.progressive=[{{until={UNTIL:g},px={px}}}]'"
    )


def _any_size(network: object, px: int) -> bool:
    """Whether a network pools over its last map, and that map keeps enough pixels."""
    if not isinstance(network, Cnn | ResNet) or network.head == "flatten" or network.padding != "same":
        return False
    return px >> (len(network.widths) - 1) >= LEAST_MAP_PX


TIP = Tip(name="progressive-resizing", decide=decide)
