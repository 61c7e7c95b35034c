"""Mask steps: as many steps as the budget carries at the measured pace.

A fifth of the budget at most goes to facts, measurements and baselines, a reserve to predictions and the report; the
rest trains. Patches are drawn and changed anew each time, so there is no end of them, only of what they teach.

Helps: one-cycle only settles when its last step is taken in time.
Hurts: with very few cases, hundreds of passes teach the cases by heart; steps are capped.
Cost: the budget. A few steps of each network are timed first.
Source: Li et al. 2020, "Budgeted training", arXiv:1905.04753; Isensee et al. 2021, doi:10.1038/s41592-020-01008-z
(250,000 steps, which no budget of minutes reaches).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan, Rung, TakenOver
from fieldcraft.records.brief import Brief
from fieldcraft.tips.epochs import share_out
from fieldcraft.tips.interface import Applied, Ask, Skipped, Tip
from fieldcraft.tips.masks import INPUTS
from fieldcraft.tips.pace import pace_s, questions
from fieldcraft.tips.rough import training_seconds

MOST_STEPS = 25_000
UNLIMITED_STEPS = 5_000
LEAST_STEPS = 100
"""A larger network that cannot take so many is left out."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Fix the steps of every rung."""
    rungs = plan.ladder.rungs
    if not rungs:
        return Skipped(because="the ladder has no networks")
    budget_s = brief.budget.seconds
    if budget_s is None:
        steps = (UNLIMITED_STEPS,) * len(rungs)
        return Applied(plan=_with_steps(plan, rungs, steps), because=f"no limit: {UNLIMITED_STEPS:,} steps each")
    asked = questions(plan)
    if not all(brief.measured(question.key) for question in asked):
        return Ask(measurements=asked)
    seconds = training_seconds(brief, budget_s)
    paces = [pace_s(brief, plan, place) for place in range(len(rungs))]
    while True:
        steps = share_out(seconds, paces, MOST_STEPS)
        if len(rungs) == 1 or min(steps) >= LEAST_STEPS:
            break
        last = max(range(len(rungs)), key=lambda place: (not isinstance(rungs[place].network, TakenOver), place))
        rungs, paces = rungs[:last] + rungs[last + 1 :], paces[:last] + paces[last + 1 :]
    told = ", ".join(f"{rung.name} {count:,}" for rung, count in zip(rungs, steps, strict=True))
    pace = " and ".join(f"{1000 * one:.3g} ms" for one in paces)
    because = f"{seconds:.0f} of {budget_s:.0f} s train: {told} steps at {pace} a step"
    if left_out := [rung.name for rung in plan.ladder.rungs if rung not in rungs]:
        because += f"; {' and '.join(left_out)} left out, under {LEAST_STEPS} steps"
    return Applied(plan=_with_steps(plan, rungs, steps), because=because)


def _with_steps(plan: Plan, rungs: tuple[Rung, ...], steps: tuple[int, ...]) -> Plan:
    timed = tuple(replace(rung, steps=count, cool_downs=()) for rung, count in zip(rungs, steps, strict=True))
    return replace(plan, ladder=replace(plan.ladder, rungs=timed))


TIP = Tip(
    name="mask-steps",
    decide=decide,
    # Leaving a network out takes back whatever was decided about it.
    refines=(
        "mask-network",
        "mask-kernels",
        "mask-depth",
        "skips",
        "output-stride",
        "two-pathways",
        "mask-width",
        "mask-norm",
        "mask-optimiser",
        "pretrained-encoder",
    ),
    inputs=INPUTS,
)
