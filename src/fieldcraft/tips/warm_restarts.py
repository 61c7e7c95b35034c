"""Warm restarts: anneal along a cosine, jump back to the peak, and anneal again for longer (SGDR).

Helps: every descent ends in a usable network, so training whose end is not known can be stopped after any of them, and
the ends can be averaged or vote.
Hurts: a known end: the time of all descents but the last is worth more in one long one.
Cost: none.
Source: Loshchilov and Hutter 2017, arXiv:1608.03983; Huang et al. 2017, arXiv:1704.00109 (ends that vote).
"""

from fieldcraft.plan.schema import Plan, Restarts
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Skipped, Tip


def decide(brief: Brief, plan: Plan) -> Skipped:
    """Say why there is one descent."""
    if isinstance(plan.schedule, Restarts):
        lengths = [plan.schedule.growth**cycle for cycle in range(plan.schedule.cycles)]
        return Skipped(
            because=f"they are there already: the last descent has {lengths[-1] / sum(lengths):.0%} of the steps"
        )
    known = (
        "epochs are fixed" if brief.budget.seconds is None else f"the budget of {brief.budget.seconds:.0f} s is fixed"
    )
    return Skipped(because=f"{known}, so the end is known: one descent gets all the steps")


TIP = Tip(name="warm-restarts", decide=decide)
