"""Gradual unfreezing: of a network that was taken over the head learns first, then the body, its last parts first.

Helps: a head that is not settled yet sends gradients that say little, and would undo what the body has learnt; steps
of a frozen body take about a third of the time.
Hurts: courses of so few steps that the parts near the input hardly begin.
Cost: none; it saves the backward pass through what is frozen.
Source: Howard and Ruder 2018, arXiv:1801.06146, section 3.3; Kumar et al. 2022, arXiv:2202.10054.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.pretrained_rung import tuning_of, with_tuning

HEAD_UNTIL, THAWED_AT = 0.1, 0.4
"""Shares of the steps: the head alone until the first, the whole body from the second on."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Lay down when the body begins to learn, and when all of it does."""
    tuning = tuning_of(plan)
    if tuning is None:
        return Skipped(because="no network is taken over")
    changed = with_tuning(plan, replace(tuning, head_until=HEAD_UNTIL, thawed_at=THAWED_AT))
    return Applied(
        plan=changed,
        because=f"the head alone for {HEAD_UNTIL:.0%} of the steps, then part by part from the output, all of the body "
        f"from {THAWED_AT:.0%} on",
    )


TIP = Tip(name="gradual-unfreezing", decide=decide, refines=("transfer", "choice-of-weights"))
