"""Augmentation: show each image shifted, turned or partly hidden in ways that leave its label alone.

Conservative until symmetry is measured: small shifts for all, small turns for gray images, mirroring only for colour
images of photographic size, erasing only where a small set is seen many times. Digits and letters are never mirrored.

Helps: the fewer samples, the more; a network that sees each image once needs it least.
Hurts: where position, angle or side carries the label; training must then be longer to fit what it is shown.
Cost: 2-6 % of a training step, on whole batches.
Source: Krizhevsky et al. 2012, NeurIPS 25 (shifts and flips); Zhong et al. 2017, arXiv:1708.04896 (erasing).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Augment, ImageInput, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rough import enough_epochs
from fieldcraft.tips.watches import overfitting

PX_A_SHIFT = 16
"""One pixel of shift for so many pixels of side."""
LEAST_PX = 8
TURN_FROM_PX, TURN_DEG = 16, 10.0
MIRROR_FROM_PX = 32
ERASE_FROM_EPOCHS, ERASE_FROM_PX, ERASE = 30, 16, 0.25


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Set what the size, the channels and the number of images allow."""
    sample = plan.input
    if not isinstance(sample, ImageInput):
        return Skipped(because="rows of a table have no shifts or turns that leave the label alone")
    side_px = min(sample.height, sample.width)
    if side_px < LEAST_PX:
        return Skipped(because=f"images of {side_px} px: a shift by one pixel moves an eighth of the image or more")
    gray, mirror = sample.channels == 1, sample.channels == 3 and side_px >= MIRROR_FROM_PX
    turn = TURN_DEG if gray and side_px >= TURN_FROM_PX else 0.0
    often = enough_epochs(brief.data.train) >= ERASE_FROM_EPOCHS
    augment = replace(
        sample.augment,
        crop_px=min(64, max(1, round(side_px / PX_A_SHIFT))),
        flip_horizontal=mirror,
        flip_vertical=False,
        rotate_deg=turn,
        scale=0.0,
        erase=ERASE if often and side_px >= ERASE_FROM_PX else 0.0,
    )
    return Applied(plan=replace(plan, input=replace(sample, augment=augment)), because=_why(augment, sample, brief))


def _why(augment: Augment, sample: ImageInput, brief: Brief) -> str:
    colour = "gray" if sample.channels == 1 else f"{sample.channels}-channel"
    parts = [f"shifts of {augment.crop_px} px"]
    if augment.rotate_deg:
        parts.append(f"turns of {augment.rotate_deg:g} degrees")
    if augment.erase:
        parts.append(f"erasing for {brief.data.train:,} samples")
    what = f"{colour} {sample.height}x{sample.width} px: {', '.join(parts)}"
    if augment.flip_horizontal:
        return f"{what}; mirrored, as photographs almost never depend on their side (not measured yet)"
    return f"{what}; never mirrored, as the label may depend on the side"


TIP = Tip(name="augmentation", decide=decide, watches=(overfitting.WATCH,))
