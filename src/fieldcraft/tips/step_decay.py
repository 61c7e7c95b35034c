"""Step decay: keep the peak rate, and cut it to a tenth at half and at three quarters of the steps.

Helps: repeating published results, most of which before 2018 were trained so.
Hurts: short training: half of the steps pass before the rate is first low enough to settle.
Cost: none.
Source: He et al. 2015, arXiv:1512.03385, section 4.2; Li et al. 2020, "Budgeted training", arXiv:1905.04753, where
decay in steps is behind linear decay at every budget.
"""

from fieldcraft.plan.schema import Plan, Step
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Skipped, Tip


def decide(brief: Brief, plan: Plan) -> Skipped:
    """Say why the rate is not cut in steps."""
    if isinstance(plan.schedule, Step):
        places = " and ".join(f"{place:.0%}" for place in plan.schedule.at) or "no place"
        return Skipped(because=f"it is there already, cut to {plan.schedule.factor:g} of itself at {places}")
    return Skipped(because=f"smooth decay is ahead where the last step is known: {plan.schedule.kind} stays")


TIP = Tip(name="step-decay", decide=decide)
