"""Early stop: end a rung when the metric on validation has stopped getting better, and keep the best weights.

Helps: schedules that do not know their end, where further steps only learn the training samples by heart; the time that
is left goes to the next rung.
Hurts: one-cycle and cosine: validation stalls in the middle, at the high rate, and most of the accuracy comes in the
last third; stopping there throws that away. The best of several looks also flatters the validation figure.
Cost: one more copy of the weights.
Source: Prechelt 1998, "Early stopping - but when?"; Smith and Topin 2019, arXiv:1708.07120 (the last third).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Constant, Patience, Plan, Plateau
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip

LOOKS = 3
"""Of the ten in the course of a rung."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Stop where the schedule has no end of its own."""
    if not plan.ladder.rungs:
        return Skipped(because="the ladder has no networks")
    schedule = plan.schedule
    if not isinstance(schedule, Constant | Plateau):
        return Skipped(
            because=f"{schedule.kind} settles in its last steps: a stall before them says nothing about where it ends"
        )
    # A cut of the rate gets as many looks to show what it is worth as the plateau that led to it.
    looks = LOOKS if isinstance(schedule, Constant) else min(10, max(LOOKS, 2 * schedule.patience + 1))
    return Applied(
        plan=replace(plan, stopping=Patience(looks=looks)),
        because=(
            f"{schedule.kind} has no end of its own: {looks} looks of ten without a gain on {brief.data.validation:,} "
            "validation samples end a rung; the best weights count"
        ),
    )


TIP = Tip(name="early-stop", decide=decide)
