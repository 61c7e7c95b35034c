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
    """Compare the passes that the first of two networks would make with those that tell something."""
    rungs = plan.ladder.rungs
    if len(rungs) < 2:
        return Skipped(because="there is no second network" if rungs else "the ladder has no networks")
    if any(isinstance(rung.network, Pretrained) for rung in rungs):
        return Skipped(because="the first network shows what the weights that another one took over are worth")
    if plan.ladder.climb == "always":
        return Skipped(because="every network is asked for (ladder.climb)")
    if brief.budget.seconds is None:
        return Skipped(because="no limit: every network gets the passes that it needs")
    together = epochs.decide(brief, plan)
    if not isinstance(together, Applied):
        return together
    kept = together.plan.ladder.rungs
    if len(kept) != 2:
        return Skipped(
            because=f"there is time for {len(kept) if len(kept) > 1 else 'no more than one'} of the networks"
        )
    short = replace(plan, ladder=replace(plan.ladder, rungs=tuple(one for one in rungs if one.name == kept[1].name)))
    without = epochs.decide(brief, short)
    assert isinstance(without, Applied), "all that it asks for was asked for above"
    return _judged(brief, together.plan, without.plan, short)


def _judged(brief: Brief, both: Plan, alone: Plan, short: Plan) -> Applied | Skipped:
    first, second = both.ladder.rungs
    batch, train = both.batch.size, brief.data.train
    few = min(TELLING * enough_epochs(train), TELLING_STEPS * batch / train)
    shared, longer, whole = (
        steps * batch / train for steps in (first.steps, second.steps, alone.ladder.rungs[0].steps)
    )
    told = f"{first.name} would make {shared:.3g} passes, and {few:.3g} tell something"
    if shared >= few:
        return Skipped(because=told)
    if whole < few:
        return Skipped(because=f"{told}, but {second.name} would not make more than {whole:.3g} either")
    return Applied(plan=short, because=f"{told}: left out, {second.name} makes {whole:.3g} instead of {longer:.3g}")


TIP = Tip(name="short-ladder", decide=decide, refines=("architecture",))
