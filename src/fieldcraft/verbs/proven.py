"""What a proof comes to: the plan with the tips that paid or were not refuted, and a last look at the test part."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fieldcraft.build.metric import build_metric
from fieldcraft.errors import FieldcraftError
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.bootstrap import paired_difference
from fieldcraft.prediction.calibration import apply
from fieldcraft.prediction.metrics import Array, score
from fieldcraft.records.decision import Decision
from fieldcraft.records.facts import Facts
from fieldcraft.records.proof import Between, FinalLook, Verdict
from fieldcraft.verbs.fold_score import temperature_of
from fieldcraft.verbs.ledger import Ledger
from fieldcraft.verbs.samples import Samples
from fieldcraft.verbs.trial import trained_once

NORMAL_95 = 1.96
LOOKED_FOR = "the plan against the plan without what did not pay"

DIVERGED_PLAN = "a plan diverged when it was trained for the last look"


def refuted(verdict: Verdict, base: Sequence[str]) -> str:
    """Why a tip stays out of the proven plan; empty where it stays in.

    Out is what hurt, and what has no effect that matters but was shown to cost time, memory or weights: that nothing
    is lost without one of them does not say that nothing is lost without all. What was tried in addition comes in only
    when it paid.
    """
    if verdict.factor not in base:
        return "" if verdict.word == "paid" else f"tried in addition, and {verdict.word}: {verdict.because}"
    if verdict.word == "hurt":
        return f"it hurt: {verdict.because}"
    if verdict.word == "no effect that matters" and (costs := _costs(verdict)):
        return f"no effect that matters, but it costs {' and '.join(costs)}: {verdict.because}"
    return ""


def kept(verdicts: Sequence[Verdict], base: Sequence[str], factors: Sequence[str]) -> tuple[str, ...]:
    """The factors of the proven plan."""
    out = {one.factor for one in verdicts if refuted(one, base)}
    return tuple(name for name in factors if name not in out)


def told(decisions: Sequence[Decision], verdicts: Sequence[Verdict], base: Sequence[str]) -> tuple[Decision, ...]:
    """The story of the proven plan: a tip that the proof left out says so."""
    out = {one.factor: because for one in verdicts if (because := refuted(one, base))}
    return tuple(
        replace(one, because=f"by proof: {out[one.tip]}") if one.tip in out and one.outcome == "left-out" else one
        for one in decisions
    )


def last_look(
    planned: Plan, proven: Plan, samples: Samples, facts: Facts, planned_s: float, ledger: Ledger,
    command: tuple[str, ...] = (),
) -> FinalLook:  # fmt: skip
    """Train both plans once on the training part and compare them on the test part, sample by sample.

    A positive difference: the proven plan is better. The interval is that of the test samples; what another seed would
    do is not in it. The look is in the ledger before it is taken.
    Raises: FieldcraftError when one of them does not train.
    """
    found: list[Array] = []
    for plan in (planned, proven):
        trained = trained_once(plan, samples, facts, planned_s).trained
        outputs = trained.says(samples.parts.test, exact=True)
        if not np.isfinite(outputs).all():
            raise FieldcraftError(DIVERGED_PLAN)
        found.append(apply(outputs, temperature_of(plan, samples, trained), plan.task.kind))
    number = ledger.look(LOOKED_FOR, command)
    metric, task, truth = planned.task.metric, planned.task.kind, samples.truth("test")
    groups = samples.groups("test")
    own = metric if isinstance(metric, str) else build_metric(metric)
    gain, error = paired_difference(own, task, truth, found[1], found[0], groups)
    values = [score(own, task, truth, one) if isinstance(own, str) else own(truth, one) for one in found]
    return FinalLook(
        look=number, planned=values[0], kept=values[1],
        difference=Between(value=gain, low=gain - NORMAL_95 * error, high=gain + NORMAL_95 * error, pairs=1),
        n=len(truth) if groups is None else len(np.unique(groups)),
    )  # fmt: skip


def _costs(verdict: Verdict) -> list[str]:
    cost = verdict.cost
    each = {
        "training time": cost.seconds, "memory": cost.memory_mib, "weights": cost.parameters,
        "time to predict": cost.latency_ms,
    }  # fmt: skip
    return [name for name, found in each.items() if found is not None and found.low > 0]
