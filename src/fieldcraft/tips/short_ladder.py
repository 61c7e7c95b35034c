"""Short ladder: where time is short, train one network for all of it instead of two for parts of it, or two of three.

A small network comes first to show early whether a larger one pays. After less than ten passes over the data it shows
nothing: it is far below what either network can reach, and the larger one is trained in any case. So the larger one
gets all of the time, or, where even that does not give it the passes that it needs, the small one does. A third network
only comes where the second makes the passes that it needs beside it: size pays after these, not before.

Helps: budgets of a few minutes, by the share that the other network would have taken. On one core without bf16 units,
where 2 min are a quarter of the passes that the larger network needs on photos of 96 px, the small one alone is ahead
of it on validation by 4.3 and 3.5 points (amazon) and by 9.6 and 11.1 (caltech10); where they are nine tenths, by 1.0
and 2.5 (CIFAR-10); two seeds each.
Hurts: sets on which the network that is left out would have been the better one; and nothing but the baselines is left
to fall back on.
Cost: none; both networks are timed anyway.
Source: Li et al. 2020, "Budgeted training", arXiv:1905.04753 (what a few passes are worth).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan, Pretrained, Rung
from fieldcraft.records.brief import Brief
from fieldcraft.tips import epochs
from fieldcraft.tips.interface import Applied, Ask, Skipped, Tip
from fieldcraft.tips.rough import FEW_PASSES, enough_epochs

TELLING, TELLING_STEPS = 0.5, 500
"""With fewer passes than this share of what a network needs, and fewer steps, a network is no use; what a larger one
would gain is not told by a handful of passes either."""
ENOUGH, ENOUGH_STEPS = 1.0, 1_000
"""Passes, as a share of what a network needs, from which on size pays; or so many steps."""


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
    if len(kept) == 1:
        return Skipped(because="there is time for no more than one of the networks")
    if len(kept) > 2:
        return _of_three(brief, plan, together.plan)
    first, second = (_alone(plan, rung.name) for rung in kept)
    return _judged(brief, together.plan, _timed(brief, first), _timed(brief, second), (first, second))


def _of_three(brief: Brief, plan: Plan, timed: Plan) -> Applied | Skipped | Ask:
    """Leave the last network out where the one before it lacks passes; then look at the other two."""
    second, third = timed.ladder.rungs[-2:]
    passes, needed = second.steps * timed.batch.size / brief.data.train, enough_epochs(brief.data.train)
    told = f"beside {third.name}, {second.name} would make {passes:.3g} of the {needed} passes that it needs"
    if passes >= ENOUGH * needed:
        return Skipped(because=told)
    left = tuple(one for one in plan.ladder.rungs if one.name != third.name)
    shorter = replace(plan, ladder=replace(plan.ladder, rungs=left))
    found = decide(brief, shorter)
    if isinstance(found, Ask):
        return found
    because = f"{told}: {third.name} is left out"
    if isinstance(found, Skipped):
        return Applied(plan=shorter, because=because)
    return Applied(plan=found.plan, because=f"{because}; {found.because}")


def _alone(plan: Plan, name: str) -> Plan:
    rungs = tuple(one for one in plan.ladder.rungs if one.name == name)
    return replace(plan, ladder=replace(plan.ladder, rungs=rungs))


def _timed(brief: Brief, alone: Plan) -> Rung:
    """The only network of a plan with its steps."""
    found = epochs.decide(brief, alone)
    assert isinstance(found, Applied), "all that it asks for was asked for above"
    return found.plan.ladder.rungs[0]


def _judged(brief: Brief, both: Plan, first: Rung, second: Rung, alone: tuple[Plan, Plan]) -> Applied | Skipped:
    batch, train = both.batch.size, brief.data.train
    needed = enough_epochs(train)
    few = min(TELLING * needed, TELLING_STEPS * batch / train)
    telling = max(few, FEW_PASSES)
    shared, longer, small, large = (rung.steps * batch / train for rung in (*both.ladder.rungs, first, second))
    told = f"{first.name} would make {shared:.3g} passes, and {telling:.3g} tell something"
    if shared >= telling:
        return Skipped(because=told)
    if small < few and large < few:
        return Skipped(because=f"{told}, but neither would make {few:.3g} alone ({small:.3g} and {large:.3g})")
    if large >= min(ENOUGH * needed, ENOUGH_STEPS * batch / train) or small < few:
        left_out = f"left out, {second.name} makes {large:.3g} instead of {longer:.3g}"
        return Applied(plan=alone[1], because=f"{told}: {left_out}")
    told += f", but {second.name} would make {large:.3g} of the {needed} that it needs, even alone"
    return Applied(plan=alone[0], because=f"{told}: it is left out, {first.name} makes {small:.3g}")


TIP = Tip(name="short-ladder", decide=decide, refines=("architecture",))
