"""One-cycle: warm up to a high rate, then anneal it to almost nothing by the last step.

Helps: the high rate in the middle covers ground and regularises; the low rate at the end settles. Most of the accuracy
comes in the last third, so the schedule must know where it ends: it is tied to the steps of each rung.
Hurts: training that is stopped half-way has seen no low rate; a run that is short of time cools down early instead.
Cost: none.
Source: Smith and Topin 2019, arXiv:1708.07120; Loshchilov and Hutter 2017, arXiv:1608.03983 (cosine).
"""

from dataclasses import replace

from fieldcraft.plan.schema import OneCycle, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip

WARM_UP, START, END = 0.25, 0.04, 0.001


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Tie the rate to the steps of each rung."""
    if not plan.ladder.rungs:
        return Skipped(because="the ladder has no networks")
    schedule = OneCycle(warm_up=WARM_UP, start=START, end=END, shape="cosine")
    within = "a fixed number of epochs" if brief.budget.seconds is None else f"a budget of {brief.budget.seconds:.0f} s"
    return Applied(
        plan=replace(plan, schedule=schedule),
        because=f"{within} fixes the last step: {WARM_UP:.0%} of the steps up to the peak, then down to {END:g} of it",
    )


TIP = Tip(name="one-cycle", decide=decide)
