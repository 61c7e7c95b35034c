"""Cosine: anneal the rate along half a cosine, without the way up that one-cycle has.

Helps: fine-tuning, where a high rate early would undo what the weights know; published recipes that were tuned with it.
Hurts: from scratch the high rate has no run-up, so it wants a warm-up of its own or a lower peak.
Cost: none.
Source: Loshchilov and Hutter 2017, arXiv:1608.03983; He et al. 2019, arXiv:1812.01187, section 5.1.
"""

from fieldcraft.plan.schema import Cosine, OneCycle, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Skipped, Tip


def decide(brief: Brief, plan: Plan) -> Skipped:
    """Say why the way down stays the one that is there."""
    if isinstance(plan.schedule, Cosine):
        return Skipped(because=f"it is there already, down to {plan.schedule.end:g} of the peak")
    if isinstance(plan.schedule, OneCycle):
        up, end = plan.schedule.warm_up, plan.schedule.end
        return Skipped(
            because=f"one-cycle ends in one, at {end:g} of the peak, and has {up:.0%} of the steps to get up"
        )
    return Skipped(because=f"the schedule is {plan.schedule.kind}; for this one: --set schedule.kind=cosine")


TIP = Tip(name="cosine", decide=decide)
