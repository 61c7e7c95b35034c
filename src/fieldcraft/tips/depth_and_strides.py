"""Depth and strides: add stages that halve the map until the last one sees the whole image, with a margin.

Each stage doubles the step between neighbouring positions, so that the receptive field grows geometrically while the
map shrinks; channels double as positions become fewer. Pooling halves small images, where each position counts;
strides do it on large ones, where convolving all positions first would cost four times as much.

Helps: a class that is decided by the whole object needs units that see all of it.
Hurts: where fine detail at full resolution decides; without skips, segmentation. How large objects are within the image
is not measured yet: the whole image is taken for the object, which can only be too deep.
Cost: half of the multiply-adds of the stage before, for each stage more; three times its weights.
Source: Araujo et al. 2019, "Computing receptive fields of convolutional neural networks", Distill;
Luo et al. 2017, arXiv:1701.04128 (the field that takes effect is smaller than the one that is computed).
"""

from dataclasses import replace
from typing import Literal

from fieldcraft.anatomy.receptive import field_after, plan_layers
from fieldcraft.plan.schema import Cnn, ImageInput, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rules import (
    downsampling_too_early,
    downsampling_too_late,
    field_smaller_than_input,
    field_smaller_than_objects,
    unproductive_layers,
)

MARGIN = 1.6
"""Receptive field over image, at least: pixels near the rim of a field hardly count."""
MOST_STAGES = 6
LEAST_MAP_PX = 2
"""The map of the last stage keeps at least so many positions a side."""
WIDEST = 512
STRIDES_FROM_PX = 65
DEPTH_ABOVE_FIRST = 2
"""Convolutions a stage, in every rung but the smallest."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Give every convolutional network the fewest stages whose field covers the image."""
    sample = plan.input
    if not isinstance(sample, ImageInput) or not any(isinstance(rung.network, Cnn) for rung in plan.ladder.rungs):
        return Skipped(because="no network of the ladder has stages that could be changed")
    rungs = tuple(
        replace(rung, network=_deep_enough(rung.network, sample, depth=DEPTH_ABOVE_FIRST if place else 1))
        if isinstance(rung.network, Cnn)
        else rung
        for place, rung in enumerate(plan.ladder.rungs)
    )
    largest = [rung.network for rung in rungs if isinstance(rung.network, Cnn)][-1]
    changed = replace(plan, ladder=replace(plan.ladder, rungs=rungs))
    return Applied(plan=changed, because=_why(largest, sample))


def _deep_enough(network: Cnn, sample: ImageInput, *, depth: int) -> Cnn:
    side_px = min(sample.height, sample.width)
    needed_px = MARGIN * max(sample.height, sample.width)
    downsample: Literal["max-pool", "stride"] = "stride" if side_px >= STRIDES_FROM_PX else "max-pool"
    base = network.widths[0]
    chosen = replace(network, widths=(base,), depth=1, downsample=downsample)
    for stages in range(1, MOST_STAGES + 1):
        widths = tuple(max(base, min(WIDEST, base * 2**stage)) for stage in range(stages))
        deeper = replace(chosen, widths=widths, depth=depth)
        if last_map_px(deeper, side_px) < (LEAST_MAP_PX if stages > 1 else 1):
            break
        chosen = deeper
        if field_after(plan_layers(chosen)).size >= needed_px:
            break
    return chosen


def last_map_px(network: Cnn, side_px: int) -> int:
    """Side of the last stage's map; 0 or less when the image is too small for the network."""
    cut_px = 0 if network.padding == "same" else network.kernel - 1
    for stage in range(len(network.widths)):
        side_px -= cut_px
        side_px = side_px // 2 if stage else side_px
        side_px -= cut_px * (network.depth - 1)
    return side_px


def _why(largest: Cnn, sample: ImageInput) -> str:
    field_px = field_after(plan_layers(largest)).size_px
    side_px = max(sample.height, sample.width)
    stages = len(largest.widths)
    return (
        f"{stages} stage{'s' if stages > 1 else ''} give the largest network a receptive field of {field_px} px "
        f"for images of {side_px} px (ratio {field_px / side_px:.1f})"
    )


TIP = Tip(
    name="depth-and-strides",
    decide=decide,
    refines=("architecture",),
    checks=(
        field_smaller_than_objects.RULE,
        unproductive_layers.RULE,
        downsampling_too_early.RULE,
        downsampling_too_late.RULE,
        field_smaller_than_input.RULE,
    ),
)
