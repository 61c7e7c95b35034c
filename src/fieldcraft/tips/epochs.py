"""Epochs: as many steps as the budget carries at the measured pace, and no more than the samples are good for.

A fifth of the budget at most goes to facts, measurements and baselines, a reserve to the start and the report; the rest
trains. The first of several networks gets a seventh of it, the others what remains, the larger the more.

Helps: one-cycle only settles when its last step is taken in time.
Hurts: small sets gain nothing from hundreds of passes, so these are capped.
Cost: the budget. A few steps of each network are timed first.
Source: Li et al. 2020, "Budgeted training", arXiv:1905.04753.
"""

from dataclasses import replace
from math import isfinite

from fieldcraft.plan.schema import Plan, Pretrained, Rung
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Ask, Skipped, StepTime, Tip
from fieldcraft.tips.phases import as_timed, phases
from fieldcraft.tips.rough import likely_epochs, step_seconds, training_seconds
from fieldcraft.tips.watches import underfitting, unfinished_training

OVERHEAD = 1.12
"""Validation, logging and checkpoints, as a factor on the time of the steps."""
SMALL_SHARE = 0.15
"""Of the training time, for the smallest of several networks."""
LEAST_EPOCHS = 3
"""A larger network that cannot make so many passes is left out, unless it was taken over and knows much already."""
CAPS = ((1_000, 200), (20_000, 100))
"""(training samples below, most epochs)."""
LOWEST_CAP = 60


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Fix the steps of every rung."""
    rungs = plan.ladder.rungs
    if not rungs:
        return Skipped(because="the ladder has no networks")
    an_epoch = -(-brief.data.train // plan.batch.size)
    budget_s = brief.budget.seconds
    if budget_s is None:
        epochs = likely_epochs(brief)
        fixed = _with_steps(plan, rungs, tuple(epochs * an_epoch for _ in rungs))
        return Applied(plan=fixed, because=f"no limit: {epochs} passes over {brief.data.train:,} training samples")
    by_size = [(share, StepTime(plan=one, rung=place)) for place in range(len(rungs)) for share, one in phases(plan)]
    if not all(brief.measured(question.key) for _, question in by_size):
        return Ask(measurements=tuple(question for _, question in by_size))
    paces = [
        sum(share * _pace(question, brief) for share, question in by_size if question.rung == place)
        for place in range(len(rungs))
    ]
    return _within(brief, plan, training_seconds(brief, budget_s), paces, an_epoch)


def _within(brief: Brief, plan: Plan, seconds: float, paces: list[float], an_epoch: int) -> Applied:
    """Share the time out; drop the largest network that starts from nothing while it cannot make the fewest passes."""
    rungs = plan.ladder.rungs
    most = cap(brief.data.train) * an_epoch
    while True:
        steps = share_out(seconds, paces, most)
        top = max((place for place, rung in enumerate(rungs) if not isinstance(rung.network, Pretrained)), default=0)
        if top == 0 or steps[top] >= LEAST_EPOCHS * an_epoch:
            break
        rungs, paces = rungs[:top] + rungs[top + 1 :], paces[:top] + paces[top + 1 :]
    passes = ", ".join(f"{rung.name} {count / an_epoch:.3g} epochs" for rung, count in zip(rungs, steps, strict=True))
    left_out = [rung.name for rung in plan.ladder.rungs if rung not in rungs]
    because = f"{seconds:.0f} of {brief.budget.seconds:.0f} s train: {passes} at {_paces(paces)} a step"
    if left_out:
        because += f"; {' and '.join(left_out)} left out, under {LEAST_EPOCHS} epochs"
    return Applied(plan=_with_steps(plan, rungs, steps), because=because)


def _pace(question: StepTime, brief: Brief) -> float:
    """Seconds a step, overhead included; estimated where it could not be measured."""
    answer = brief.measured(question.key)
    if answer is not None and isfinite(answer.value):
        return OVERHEAD * answer.value / 1000
    plan = replace(question.plan, input=as_timed(question.plan.input))
    return OVERHEAD * step_seconds(plan.ladder.rungs[question.rung].network, brief, plan)


def share_out(seconds: float, paces: list[float], most: int) -> tuple[int, ...]:
    """Steps of each network: a fixed share for the smallest, doubling ones above; what one cannot use the next gets."""
    left_s = seconds
    steps: list[int] = []
    for place, pace in enumerate(paces):
        above = len(paces) - place - 1
        share = 1.0 if not above else SMALL_SHARE if place == 0 else 1 / (2 ** (above + 1) - 1)
        count = max(1, min(most, int(left_s * share / pace)))
        steps.append(count)
        left_s -= count * pace
    return tuple(steps)


def cap(train: int) -> int:
    """Most passes over so many training samples."""
    return next((epochs for below, epochs in CAPS if train < below), LOWEST_CAP)


def _with_steps(plan: Plan, rungs: tuple[Rung, ...], steps: tuple[int, ...]) -> Plan:
    timed = tuple(replace(rung, steps=count, cool_downs=()) for rung, count in zip(rungs, steps, strict=True))
    return replace(plan, ladder=replace(plan.ladder, rungs=timed))


def _paces(paces: list[float]) -> str:
    return " and ".join(f"{1000 * pace:.3g} ms" for pace in paces)


TIP = Tip(
    name="epochs",
    decide=decide,
    # Leaving a network out takes back whatever was decided about it.
    refines=(
        "architecture",
        "small-kernels",
        "padding",
        "depth-and-strides",
        "residual-connections",
        "worth-a-network",
        "width",
        "norm",
        "activation",
        "depthwise-separable",
        "optimiser",
        "dropout",
        "stochastic-depth",
        "learning-rate",
        "transfer",
        "choice-of-weights",
    ),
    watches=(
        underfitting.WATCH,
        unfinished_training.WATCH,
    ),
)
