"""Mask normalisation: bring intensities to mean 0 and deviation 1, by case, or by the set where numbers are physical.

Helps: scanners and exposures differ from case to case; networks learn faster from numbers around 0.
Hurts: CT numbers mean the same in every case: normalising each by itself would take that away.
Cost: none.
Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Tip
from fieldcraft.tips.masks import INPUTS, known


def decide(brief: Brief, plan: Plan) -> Applied:
    """By the set for CT, else by case."""
    facts, sample, _ = known(brief, plan)
    physical = "CT" in {name.upper() for name in facts.channel_names}
    first = facts.intensity.value[0]
    told = f"values of {first.mean:.3g} ± {first.std:.3g} in the first of {facts.channels} channel(s)"
    why = "CT, whose numbers are physical: one mean for the set" if physical else "each case by its own mean"
    changed = replace(sample, normalise="set" if physical else "case")
    return Applied(plan=replace(plan, input=changed), because=f"{told}: {why}")


TIP = Tip(name="mask-normalisation", decide=decide, inputs=INPUTS)
