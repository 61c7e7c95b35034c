"""Spare time: go on training where the budget is not used up.

A plan fixes steps by what everything is expected to take. Baselines that end early, a machine that is faster than it
was while steps were timed, measurements that cost less: what is left over then would be given back unused. Instead the
rest of the schedule is stretched to what is there, up to three fifths of its course, so that it still settles in time.
(It is compressed in the same way, whatever this tip says, where the machine is slower.) The decision stands in the
journal before it acts, and a repeat follows it.

Helps: budgets of minutes, where every pass still counts.
Hurts: nothing but the surprise that a run makes more steps than its plan says; steps set by hand are never more.
Cost: the rest of the budget, never more than it.
Source: Li et al. 2020, "Budgeted training", arXiv:1905.04753 (schedules that settle in time, whatever the time is).
"""

from dataclasses import replace

from fieldcraft.plan.schema import PatchInput, Plan, Rung
from fieldcraft.records.brief import Brief
from fieldcraft.tips.epochs import cap
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.mask_steps import MOST_STEPS


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Say up to how many steps each network may go on."""
    if brief.budget.seconds is None:
        return Skipped(because="no limit: nothing is left over")
    repeated = {rung.copy_of for rung in plan.ladder.rungs if rung.copy_of}
    rungs = tuple(_extendable(rung, brief, plan, repeated) for rung in plan.ladder.rungs)
    longer = [rung for rung in rungs if rung.most_steps > rung.steps]
    if not longer:
        return Skipped(because="every network makes all the steps that are useful to it" if rungs else "no networks")
    told = ", ".join(f"{rung.name} {rung.most_steps:,}" for rung in longer if not rung.copy_of)
    return Applied(
        plan=replace(plan, ladder=replace(plan.ladder, rungs=rungs)),
        because=f"where time is left over, up to so many steps: {told}",
    )


def _extendable(rung: Rung, brief: Brief, plan: Plan, repeated: set[str]) -> Rung:
    """A rung with the steps that it may make at most; those of masks that are repeated have enough already."""
    if not isinstance(plan.input, PatchInput):
        most = cap(brief.data.train) * -(-brief.data.train // plan.batch.size)
    else:
        most = 0 if rung.name in repeated or rung.copy_of else MOST_STEPS
    return replace(rung, most_steps=most if most > rung.steps else 0)


TIP = Tip(
    name="spare-time",
    decide=decide,
    refines=(
        "architecture",
        "mask-network",
        "two-pathways",
        "pretrained-encoder",
        "transfer",
        "choice-of-weights",
        "ensemble",
    ),
)
