"""Short ladder: where time is short, leave the first network out and give all of it to the next one.

A small network comes first to show early whether a larger one pays. After a handful of passes over the data it shows
nothing: it is far below what either network can reach, and the larger one is trained in any case.

Helps: budgets of a few minutes, by the share that the first network would have taken.
Hurts: sets on which the small network would have been the better one, so it stays wherever it can be trained well; and
nothing but the baselines is left to fall back on.
Cost: none; both networks are timed anyway.
Source: Li et al. 2020, "Budgeted training", arXiv:1905.04753 (what a few passes are worth).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan, Pretrained
from fieldcraft.records.brief import Brief
from fieldcraft.tips import epochs
from fieldcraft.tips.interface import Applied, Ask, Skipped, Tip
from fieldcraft.tips.rough import enough_epochs

TELLING, TELLING_STEPS = 0.5, 500
"""With fewer passes than this share of what a network needs, and fewer steps, the first one tells nothing."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Leave first networks out while the passes that they would make tell nothing."""
    decision = _once(brief, plan)
    if not isinstance(decision, Applied):
        return decision
    shorter = decision.plan
    while isinstance(again := _once(brief, shorter), Applied):
        shorter = again.plan
    return replace(decision, plan=shorter)


def _once(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Compare the passes that the first network would make with those that tell something."""
    rungs = plan.ladder.rungs
    if len(rungs) < 2:
        return Skipped(because="there is no second network" if rungs else "the ladder has no networks")
    if any(isinstance(rung.network, Pretrained) for rung in rungs):
        return Skipped(because="the first network shows what the weights that another one took over are worth")
    if brief.budget.seconds is None:
        return Skipped(because="no limit: every network gets the passes that it needs")
    short = replace(plan, ladder=replace(plan.ladder, rungs=rungs[1:]))
    together, without = epochs.decide(brief, plan), epochs.decide(brief, short)
    if isinstance(together, Ask):
        return together
    assert isinstance(together, Applied) and isinstance(without, Applied)
    (first, shared), (second, whole) = (_passes(one.plan, brief)[0] for one in (together, without))
    longer = dict(_passes(together.plan, brief)).get(second)
    if longer is None:
        return Skipped(because=f"there is no time for {second}: {first} gets all of it")
    needed = TELLING * enough_epochs(brief.data.train)
    few = min(needed, TELLING_STEPS * plan.batch.size / brief.data.train)
    told = f"{first} would make {shared:.3g} passes, and {few:.3g} tell something"
    if shared >= few:
        return Skipped(because=told)
    return Applied(plan=short, because=f"{told}: left out, {second} makes {whole:.3g} instead of {longer:.3g}")


def _passes(plan: Plan, brief: Brief) -> tuple[tuple[str, float], ...]:
    """Of each network over the training samples."""
    return tuple((rung.name, rung.steps * plan.batch.size / brief.data.train) for rung in plan.ladder.rungs)


TIP = Tip(name="short-ladder", decide=decide, refines=epochs.TIP.refines)
