"""Compilation: compile the training step, where what it saves over the run repays what compiling costs.

It is tried on the planned networks themselves, in a process of its own that is ended when its share of the budget is
spent. Validation and predictions stay as they are: each of their batch sizes would be compiled anew. A machine on which
compiling fails later trains without it, and the run says so.

Helps: networks of many small operations between the large ones, trained for a quarter of an hour and longer; on GPUs
most of all.
Hurts: short runs, since each network takes half a minute or more before its first step (two minutes on busy cores);
steps that change their size, each of which is compiled anew. Sums are taken in another order, so that results agree to
rounding, not to the bit; symptoms of single units (dead, saturated) are not looked for.
Cost: 3 % of the budget to try it, 90 s at most; so only from 11 minutes on.
Source: Ansel et al. 2024, "PyTorch 2: Faster machine learning through dynamic Python bytecode transformation and graph
compilation", ASPLOS.
"""

from dataclasses import replace
from math import isfinite

from fieldcraft.plan.schema import ImageInput, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.epochs import cap, share_out
from fieldcraft.tips.interface import Applied, Ask, CompiledStep, Skipped, StepTime, Tip
from fieldcraft.tips.rough import likely_epochs, step_seconds, training_seconds

TRY_SHARE, MOST_TRY_S = 0.03, 90.0
"""Of the budget (or, without one, of the expected training), and at most, for trying."""
LEAST_TRY_S = 20.0
"""Less says nothing: a process starts, imports and compiles."""
LEAST_GAIN = 0.05
"""Share of the largest network's step that must be saved."""
REPAID = 1.5
"""Times its cost that compiling must save: the cost is certain, the saving is not."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Try it where there is time for that, then compare what it saves with what it costs."""
    rungs = plan.ladder.rungs
    if not rungs:
        return Skipped(because="the ladder has no networks")
    if brief.machine.compiler is None:
        return Skipped(because="no compiler: it needs g++ (clang++ on macOS; with a GPU also Triton) on this machine")
    if isinstance(plan.input, ImageInput) and (plan.input.progressive or plan.input.buckets):
        return Skipped(because="training images are of several sizes: each would be compiled anew")
    plain = replace(plan, execution=replace(plan.execution, compile=False))
    train_s = _expected_seconds(brief, plain)
    limit_s = min(MOST_TRY_S, TRY_SHARE * (brief.budget.seconds or sum(train_s)))
    if limit_s < LEAST_TRY_S:
        told = f"{sum(train_s):.0f} s of training are too short to try it"
        return Skipped(because=f"{told}: that alone takes {LEAST_TRY_S:.0f} s or more, and may take {limit_s:.0f} s")
    questions = tuple(
        CompiledStep(plan=plain, rung=place, train_s=round(seconds), limit_s=limit_s)
        for place, seconds in enumerate(train_s)
    )
    costs = [brief.measured(one.key) for one in questions]
    if any(cost is None for cost in costs):
        return Ask(measurements=tuple(reversed(questions)))
    failed = next((cost.method for cost in costs if cost is not None and not isfinite(cost.value)), None)
    if failed is not None:
        return Skipped(because=f"tried for up to {limit_s:.0f} s: {failed}")
    return _weighed(brief, plain, questions)


def _weighed(brief: Brief, plan: Plan, questions: tuple[CompiledStep, ...]) -> Applied | Skipped:
    saved_s = sum(one.train_s * (1 - _of(brief, one.compiled) / _of(brief, one.plain)) for one in questions)
    cost_s = sum(_of(brief, one.key) for one in questions)
    before, after = (_of(brief, key) for key in (questions[-1].plain, questions[-1].compiled))
    told = (
        f"a step of the largest network takes {after:.3g} ms compiled, {before:.3g} ms plain: over "
        f"{sum(one.train_s for one in questions):.0f} s that {'saves' if saved_s >= 0 else 'loses'} "
        f"{abs(saved_s):.0f} s, and compiling takes {cost_s:.0f} s"
    )
    if after > (1 - LEAST_GAIN) * before or saved_s < REPAID * cost_s:
        return Skipped(because=told)
    return Applied(plan=replace(plan, execution=replace(plan.execution, compile=True)), because=told)


def _of(brief: Brief, key: str) -> float:
    found = brief.measured(key)
    return float("inf") if found is None else found.value


def _expected_seconds(brief: Brief, plan: Plan) -> list[float]:
    """Seconds that each rung will train, as the epochs will be chosen; by the measured pace where there is one."""
    an_epoch = -(-brief.data.train // plan.batch.size)
    paces = [_pace(brief, plan, place) for place in range(len(plan.ladder.rungs))]
    budget_s = brief.budget.seconds
    if budget_s is None:
        return [likely_epochs(brief) * an_epoch * pace for pace in paces]
    steps = share_out(training_seconds(brief, budget_s), paces, cap(brief.data.train) * an_epoch)
    return [count * pace for count, pace in zip(steps, paces, strict=True)]


def _pace(brief: Brief, plan: Plan, place: int) -> float:
    known = brief.measured(StepTime(plan=plan, rung=place).key)
    if known is not None and isfinite(known.value):
        return known.value / 1000
    return step_seconds(plan.ladder.rungs[place].network, brief, plan)


TIP = Tip(name="compilation", decide=decide)
