"""Augmentation: show each image shifted, turned or partly hidden in ways that leave its label alone.

What was measured decides: a change that the label survives is used, one that it does not survive is not. Where nothing
was measured, or the data could not tell, it stays conservative: small shifts for all, small turns for gray images,
mirroring only for colour images of photographic size; digits and letters are never mirrored. Changes of angle, size,
brightness and contrast, and erasing, are for small sets that are seen many times.

Helps: the fewer samples, the more; a network that sees each image once needs it least.
Hurts: where position, angle or side carries the label; training must then be longer to fit what it is shown.
Cost: 2-6 % of a training step, on whole batches; turns and looks sample between pixels or pass over them once more.
Source: Krizhevsky et al. 2012, NeurIPS 25 (shifts and flips); Zhong et al. 2017, arXiv:1708.04896 (erasing).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Augment, ImageInput, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.records.deep_facts import BRIGHTNESS, CONTRAST, SCALE, Symmetry, Transform
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rough import enough_epochs
from fieldcraft.tips.watches import overfitting

PX_A_SHIFT = 16
"""One pixel of shift for so many pixels of side."""
LEAST_PX = 8
TURN_FROM_PX, TURN_DEG = 16, 10.0
MIRROR_FROM_PX = 32
OFTEN_EPOCHS = 30
"""Passes that a set needs before erasing and measured changes of angle, size and look take part."""
ERASE_FROM_PX, ERASE = 16, 0.25


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Set what was measured, and else what the size, the channels and the number of images allow."""
    sample = plan.input
    if not isinstance(sample, ImageInput):
        return Skipped(because="rows of a table have no shifts or turns that leave the label alone")
    side_px = min(sample.height, sample.width)
    if side_px < LEAST_PX:
        return Skipped(because=f"images of {side_px} px: a shift by one pixel moves an eighth of the image or more")
    often = enough_epochs(brief.data.train) >= OFTEN_EPOCHS
    gray, turnable = sample.channels == 1, side_px >= TURN_FROM_PX
    photograph = sample.channels == 3 and side_px >= MIRROR_FROM_PX

    def survives(transform: Transform, *, unknown: bool) -> bool:
        known = brief.data.deep.survives(transform)
        return unknown if known is None or known.survives == "cannot-tell" else known.survives == "yes"

    turned = survives("rotation", unknown=gray) and turnable and (gray or often)
    augment = replace(
        sample.augment,
        crop_px=min(64, max(1, round(side_px / PX_A_SHIFT))) if survives("translation", unknown=True) else 0,
        flip_horizontal=survives("flip-horizontal", unknown=photograph),
        flip_vertical=survives("flip-vertical", unknown=False),
        quarter_turns=survives("quarter-turns", unknown=False) and sample.height == sample.width,
        rotate_deg=TURN_DEG if turned else 0.0,
        scale=SCALE if often and turnable and survives("scale", unknown=False) else 0.0,
        brightness=BRIGHTNESS if often and survives("brightness", unknown=False) else 0.0,
        contrast=CONTRAST if often and survives("contrast", unknown=False) else 0.0,
        erase=ERASE if often and side_px >= ERASE_FROM_PX else 0.0,
    )
    return Applied(plan=replace(plan, input=replace(sample, augment=augment)), because=_why(augment, sample, brief))


def _why(augment: Augment, sample: ImageInput, brief: Brief) -> str:
    colour = "gray" if sample.channels == 1 else f"{sample.channels}-channel"
    parts = [f"shifts of {augment.crop_px} px" if augment.crop_px else "no shifts"]
    if augment.rotate_deg:
        parts.append(f"turns of {augment.rotate_deg:g} degrees")
    for on, name in ((augment.scale, "size"), (augment.brightness, "brightness"), (augment.contrast, "contrast")):
        if on:
            parts.append(f"{name} by {on:g}")
    if augment.erase:
        parts.append(f"erasing for {brief.data.train:,} samples")
    what = f"{colour} {sample.height}x{sample.width} px: {', '.join(parts)}"
    told = [brief.data.deep.survives(name) for name in ("flip-horizontal", "flip-vertical", "quarter-turns")]
    if known := [one for one in told if one is not None and one.survives != "cannot-tell"]:
        return f"{what}; measured: {', '.join(_measured(one) for one in known)}"
    if augment.flip_horizontal:
        return f"{what}; mirrored, as photographs almost never depend on their side ({_unknown(told[0])})"
    return f"{what}; never mirrored, as the label may depend on the side"


def _measured(known: Symmetry) -> str:
    """Whether a change is used, and the interval of what it gains, in points."""
    return f"{known.transform} {known.survives} ({100 * known.low:+.1f} to {100 * known.high:+.1f} points)"


def _unknown(known: Symmetry | None) -> str:
    return "not measured yet" if known is None else "the data cannot tell"


TIP = Tip(name="augmentation", decide=decide, watches=(overfitting.WATCH,))
