"""Foreground sampling: centre a share of the patches on what is looked for.

Helps: where patches are much smaller than cases and most of them would show background alone.
Hurts: the network sees classes more often than they occur, and finds a few too many; two thirds of the patches stay as
they fall.
Cost: none.
Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z (a third of the patches).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, called, foreground, known, shape_of

SHARE = 0.33
WHOLE = 0.9
"""Of a case's side, from which on a patch shows all of it."""
RARE = 0.1
"""Share of the voxels up to which a class is rare."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """A third of the patches where cases are larger and a class is rare."""
    facts, sample, _ = known(brief, plan)
    rarest = min(foreground(facts), key=lambda one: one.share, default=None)
    if rarest is None:
        return Skipped(because="there is no class but the background")
    covered = min(side / length for side, length in zip(sample.patch, shape_of(facts, sample), strict=True))
    told = f"{called(rarest)} has {rarest.share:.2%} of the voxels, a patch covers {min(1.0, covered):.0%} of a side"
    if covered >= WHOLE:
        return Skipped(because=f"{told}: every patch shows what there is")
    if rarest.share > RARE:
        return Skipped(because=f"{told}: patches meet every class as they fall")
    return Applied(
        plan=replace(plan, input=replace(sample, foreground=SHARE)),
        because=f"{told}: {SHARE:.0%} of the patches are centred on foreground, the classes in turn",
    )


TIP = Tip(name="foreground-sampling", decide=decide, inputs=INPUTS)
