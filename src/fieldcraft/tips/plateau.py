"""Plateau: cut the rate when the metric on validation has stopped getting better.

Helps: training whose length is not known beforehand, and losses that stall at times nobody can foresee.
Hurts: short training: validation is looked at ten times a rung, so each cut comes a tenth of the steps late or more;
small validation parts, whose noise looks like a stall; and the validation figure, which was then tuned on.
Cost: none beyond the looks at validation.
Source: torch.optim.lr_scheduler.ReduceLROnPlateau; Li et al. 2020, arXiv:1905.04753 (behind schedules that know the
end).
"""

from fieldcraft.plan.schema import Plan, Plateau
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Skipped, Tip


def decide(brief: Brief, plan: Plan) -> Skipped:
    """Say why validation does not steer the rate."""
    validation = brief.data.validation
    if isinstance(plan.schedule, Plateau):
        return Skipped(because=f"it is there already; {validation:,} samples decide when the rate is cut")
    known = "epochs" if brief.budget.seconds is None else f"budget of {brief.budget.seconds:.0f} s"
    return Skipped(because=f"the {known} says where training ends, so {plan.schedule.kind} need not wait for a stall")


TIP = Tip(name="plateau", decide=decide)
