"""Mask symmetry: mirror along axes that the labels do not tell apart, turn and scale a little, image and mask together.

Invariance is not always wanted: where left and right organs are two classes, a mirrored patch shows one of them with
the other's name. What masks alone can tell decides; where they cannot, nothing is mirrored.

Helps: small sets; objects that lie in any direction.
Hurts: labels that depend on the side, which is why it looks first; turns blur thin structures a little.
Cost: turning and scaling take some of the time of a step; mirroring none.
Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z; Kamnitsas et al. 2017, arXiv:1603.05959, section 3.2.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Tip
from fieldcraft.tips.masks import INPUTS, known, spacing_of

SHARE = 0.2
"""Of the patches, of each change of shape; mask-strength raises it where cases are seen often."""
TURN_DEG, ALL_DEG = 15.0, 180.0
"""Largest angle where directions mean something, and where every direction is alike."""
SCALE = 0.2
EVEN = 1.5
"""Ratio of spacings within a plane up to which turning keeps shapes."""


def decide(brief: Brief, plan: Plan) -> Applied:
    """Mirror what is known to be alike; turn within planes of even spacing."""
    facts, sample, _ = known(brief, plan)
    mirrors = {one.axis: one for one in facts.mirrors.value}
    deep = [axis for axis, side in enumerate(sample.patch) if side > 1]
    flip = tuple(axis for axis in deep if axis in mirrors and mirrors[axis].survives == "yes")
    spacing = spacing_of(facts, sample)
    about = tuple(_planes(deep, spacing, len(sample.patch)))
    free = len(sample.patch) == 2 and len(flip) == 2
    degrees = 0.0 if not about else ALL_DEG if free else TURN_DEG
    augment = replace(
        sample.augment, flip=flip, rotate_deg=degrees, turn_about=about, scale=SCALE if len(deep) > 1 else 0.0,
        elastic=0.0, shape_share=SHARE,
    )  # fmt: skip
    held = [f"axis {axis} {mirrors[axis].survives}" for axis in deep if axis in mirrors and axis not in flip]
    mirrored = f"mirrored along axes {', '.join(map(str, flip))}" if flip else "never mirrored"
    turned = f"turned by {degrees:g} degrees about {len(about)} axes" if about else "never turned"
    why = f" (labels survive: {', '.join(held)})" if held else ""
    return Applied(plan=replace(plan, input=replace(sample, augment=augment)), because=f"{mirrored}{why}; {turned}")


def _planes(deep: list[int], spacing: tuple[float, ...], axes: int) -> list[int]:
    """Axes about which a patch is turned: those whose plane has even spacing; 0 for the one plane of pictures."""
    if axes == 1:
        return []
    if axes == 2:
        return [0] if len(deep) == 2 and max(spacing) <= EVEN * min(spacing) else []
    planes = {axis: [other for other in range(3) if other != axis] for axis in range(3)}
    return [
        axis
        for axis, (one, other) in planes.items()
        if one in deep
        and other in deep
        and max(spacing[one], spacing[other]) <= EVEN * min(spacing[one], spacing[other])
    ]


TIP = Tip(name="mask-symmetry", decide=decide, inputs=INPUTS)
