"""Mask intensities: change brightness, contrast, sharpness and noise of patches, as other scanners would.

Helps: small sets; cases from machines that were not seen in training.
Hurts: where numbers are physical, as in CT: there brightness stays, and contrast changes little.
Cost: a few per cent of the time of a step.
Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z (supplementary note 4, ranges).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Tip
from fieldcraft.tips.masks import INPUTS, known

NOISE, BLUR, BRIGHTNESS, CONTRAST, GAMMA = 0.3, 1.0, 0.3, 0.25, 0.3
SHARE = 0.15
"""Of the patches, of each change; mask-strength raises it where cases are seen often."""
PHYSICAL_CONTRAST = 0.1


def decide(brief: Brief, plan: Plan) -> Applied:
    """All changes where each case is normalised by itself; fewer where numbers mean something."""
    _, sample, _ = known(brief, plan)
    physical = sample.normalise == "set"
    augment = replace(
        sample.augment,
        noise=NOISE,
        blur=BLUR,
        brightness=0.0 if physical else BRIGHTNESS,
        contrast=PHYSICAL_CONTRAST if physical else CONTRAST,
        gamma=0.0 if physical else GAMMA,
        look_share=SHARE,
    )
    kept = (
        "numbers are physical: noise, blur and a little contrast"
        if physical
        else "noise, blur, brightness, contrast and gamma"
    )
    return Applied(
        plan=replace(plan, input=replace(sample, augment=augment)),
        because=f"{brief.data.train:,} training cases: {kept}, each for {augment.look_share:.0%} of the patches",
    )


TIP = Tip(name="mask-intensities", decide=decide, inputs=INPUTS)
