"""Warm-up: start schedules that begin at the peak rate with a short way up.

Helps: the first gradients are large and point anywhere; AdamW and RMSProp divide by a mean square that few steps have
gone into. A twentieth of the steps was enough in the recipes below.
Hurts: fine-tuning at rates that are low anyway, and training of a few dozen steps.
Cost: the steps on the way up learn less.
Source: Goyal et al. 2017, arXiv:1706.02677, section 2.2; He et al. 2019, arXiv:1812.01187 (5 of 120 epochs);
Ma and Yarats 2021, arXiv:1910.04209 (AdamW).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Cosine, OneCycle, Plan, Plateau, Restarts, Step
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip

SHARE = 0.05


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Give cosine, steps, restarts and plateaus a way up; one-cycle has its own."""
    schedule = plan.schedule
    if not plan.ladder.rungs:
        return Skipped(because="the ladder has no networks")
    if isinstance(schedule, OneCycle):
        return Skipped(because=f"one-cycle has its own: {schedule.warm_up:.0%} of the steps")
    if not isinstance(schedule, Cosine | Step | Restarts | Plateau):
        return Skipped(because=f"the schedule is {schedule.kind}: it has no way up")
    rate = max(rung.lr for rung in plan.ladder.rungs)
    return Applied(
        plan=replace(plan, schedule=replace(schedule, warm_up=SHARE)),
        because=f"{schedule.kind} would begin at the peak rate of {rate:g}: {SHARE:.0%} of the steps lead up to it",
    )


TIP = Tip(name="warm-up", decide=decide, refines=("one-cycle",))
