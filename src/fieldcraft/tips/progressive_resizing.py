"""Progressive resizing: train on smaller images for the first part of the steps, on whole ones for the rest.

Helps: budgets that end before a network has learnt all it can: the early steps cost about half, so that more fit in.
Hurts: objects of few pixels; networks that tie their weights to one size; courses that have time enough as it is.
Cost: none but a resize of each early batch, from bytes; a few steps of the smaller size are timed first.
Source: Howard 2018, "Training Imagenet in 3 hours for USD 25", fast.ai; Touvron et al. 2019, arXiv:1906.06423.
"""

from dataclasses import replace
from math import isfinite

from fieldcraft.plan.schema import Cnn, ImageInput, Plan, ResNet, SmallerImages
from fieldcraft.records.brief import Brief
from fieldcraft.tips import epochs
from fieldcraft.tips.interface import Applied, Ask, Skipped, StepTime, Tip
from fieldcraft.tips.phases import at_size
from fieldcraft.tips.rough import training_seconds

UNTIL, SHARE_OF_SIDE = 0.6, 0.75
"""Of the steps, and of the side."""
EVEN_PX = 4
"""Smaller sides are multiples of this, so that maps can be halved."""
LEAST_SIDE_PX, LEAST_MAP_PX = 32, 3
LEAST_GAIN = 0.25
"""Share of the time of an early step that must be saved."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Begin smaller when the budget binds, the networks allow it and the step is measured to be cheaper."""
    sample = plan.input
    if not isinstance(sample, ImageInput):
        return Skipped(because="rows of a table have no size")
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
    last = len(plan.ladder.rungs) - 1
    whole, small = (StepTime(plan=at_size(plan, size), rung=last) for size in (None, px))
    known = [brief.measured(one.key) for one in (whole, small)]
    if known[0] is None or known[1] is None:
        return Ask(measurements=(whole, small))
    whole_ms, small_ms = known[0].value, known[1].value
    if not (isfinite(whole_ms) and isfinite(small_ms)):
        return Skipped(because="steps could not be timed at both sizes")
    times = f"{px} px {small_ms:.3g} ms a step, {side} px {whole_ms:.3g} ms"
    if small_ms > (1 - LEAST_GAIN) * whole_ms:
        return Skipped(because=f"{times}: saves less than {100 * LEAST_GAIN:.0f} % of a step")
    most = epochs.cap(brief.data.train) * -(-brief.data.train // plan.batch.size)
    seconds = training_seconds(brief, brief.budget.seconds)
    if seconds * (1 - epochs.SMALL_SHARE) >= epochs.OVERHEAD * most * whole_ms / 1000:
        return Skipped(because=f"{times}: {seconds:.0f} s carry {most:,} whole steps, as many as are made at most")
    gain = 1 / (1 - UNTIL * (1 - small_ms / whole_ms))
    sizes = (SmallerImages(until=UNTIL, px=px),)
    return Applied(
        plan=replace(plan, input=replace(sample, progressive=sizes)),
        because=f"{times}: {100 * UNTIL:.0f} % of the steps at {px} px let {gain:.2f} times as many fit in",
    )


def _any_size(network: object, px: int) -> bool:
    """Whether a network pools over its last map, and that map keeps enough pixels."""
    if not isinstance(network, Cnn | ResNet) or network.head == "flatten" or network.padding != "same":
        return False
    return px >> (len(network.widths) - 1) >= LEAST_MAP_PX


TIP = Tip(name="progressive-resizing", decide=decide)
