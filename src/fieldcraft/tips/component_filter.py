"""Component filter: leave out small pieces of a class that has one object a case, or all but the largest.

Helps: organs that every case has once; specks far from them are false.
Hurts: lesions, cells, anything that comes in numbers; and organs that a miss has torn in two.
Cost: a few milliseconds a case. Validation decides whether it stays.
Source: Isensee et al. 2021, doi:10.1038/s41592-020-01008-z.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.masks import INPUTS, foreground, known

ONE = 1.0


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Try it where nine of ten cases have one object of a class."""
    facts, _, task = known(brief, plan)
    if facts.within_volume:
        return Skipped(
            because="all slices are of one volume: validation cannot show that it gains, so it would never stay"
        )
    counts = {one.name: one.objects.high for one in foreground(facts) if one.objects is not None}
    single = [name for name, high in counts.items() if high <= ONE]
    if not single:
        most = max(counts.values(), default=0.0)
        return Skipped(because=f"objects come in numbers, up to {most:.3g} of a class in nine of ten cases")
    masks = replace(task.masks, components="filter-if-better")
    return Applied(
        plan=replace(plan, task=replace(task, masks=masks)),
        because=f"{len(single)} of {len(counts)} classes have one object in nine of ten cases: small pieces are left "
        "out if validation gains",
    )


TIP = Tip(name="component-filter", decide=decide, inputs=INPUTS)
