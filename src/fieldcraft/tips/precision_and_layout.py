"""Precision and layout: run the planned network in fp32 and bf16, in both memory layouts, and take what is fastest.

Helps: on processors with bf16 units a residual network trains about three times faster in bf16 with channels last.
Hurts: nothing wins everywhere: small fully connected networks get slower in bf16; hence the measurement.
Cost: a few steps for each candidate, within the share of the budget that measurements may take.
Source: Kalamkar et al. 2019, arXiv:1905.12322 (bf16); Micikevicius et al. 2018, arXiv:1710.03740.
"""

from dataclasses import replace
from math import isfinite
from typing import Literal

from fieldcraft.plan.schema import Atrous, Cnn, DeepMedic, EncodedUNet, Imported, Plan, ResNet, TakenOver, UNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Ask, Skipped, StepTime, Tip
from fieldcraft.tips.rough import macs

LEAST_GAIN = 0.05
"""Share of the step that another candidate must save."""
WORTH_MACS = 20e6
"""Multiply-adds a step (forward) below which steps are bound by overhead and nothing is measured."""

CONVOLUTIONAL = Cnn | ResNet | UNet | EncodedUNet | DeepMedic | Atrous

Candidate = tuple[Literal["fp32", "bf16"], bool]


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Time the largest rung in every candidate setting, then choose."""
    if not plan.ladder.rungs:
        return Skipped(because="the ladder has no networks")
    network = plan.ladder.rungs[-1].network
    cost = macs(network, brief, plan.input) * plan.batch.size
    if not isinstance(network, Imported | TakenOver) and cost < WORTH_MACS:
        return Skipped(
            because=f"{cost / 1e6:.1f} M multiply-adds a step are bound by overhead: fp32 in the usual layout"
        )
    candidates = _candidates(brief, plan)
    if len(candidates) == 1:
        return Skipped(because="neither bf16 units nor another layout for this network: fp32 in the usual layout")
    questions = {
        candidate: StepTime(plan=_with(plan, candidate), rung=len(plan.ladder.rungs) - 1) for candidate in candidates
    }
    times = {candidate: fact.value for candidate, ask in questions.items() if (fact := brief.measured(ask.key))}
    if len(times) < len(candidates):
        return Ask(measurements=tuple(questions.values()))
    chosen = _fastest(times)
    return Applied(plan=_with(plan, chosen), because=_why(times, chosen))


def _candidates(brief: Brief, plan: Plan) -> tuple[Candidate, ...]:
    """The plainest first, then the one that wins most often: on a slow machine time may suffice for no more."""
    layouts = (False, True) if any(isinstance(r.network, CONVOLUTIONAL) for r in plan.ladder.rungs) else (False,)
    precisions: tuple[Literal["fp32", "bf16"], ...] = ("fp32", "bf16") if brief.machine.bf16 else ("fp32",)
    plainest, *others = ((precision, last) for precision in precisions for last in layouts)
    return plainest, *reversed(others)


def _with(plan: Plan, candidate: Candidate) -> Plan:
    precision, last = candidate
    return replace(plan, execution=replace(plan.execution, precision=precision, channels_last=last))


def _fastest(times: dict[Candidate, float]) -> Candidate:
    """The plainest candidate, unless a later one saves at least `LEAST_GAIN` of its time.

    What could not be measured took infinitely long, and is never chosen over the plainest.
    """
    chosen: Candidate = ("fp32", False)
    # bf16 costs digits, so that it is compared with the best of fp32 and comes last.
    for precision in ("fp32", "bf16"):
        of_kind = sorted(candidate for candidate in times if candidate[0] == precision)
        best = min(of_kind, key=lambda candidate: times[candidate], default=chosen)
        if isfinite(times[best]) and times[best] <= (1 - LEAST_GAIN) * times[chosen]:
            chosen = best
    return chosen


def _why(times: dict[Candidate, float], chosen: Candidate) -> str:
    shown = ", ".join(f"{_name(candidate)} {_shown(ms)}" for candidate, ms in times.items())
    ratio = times["fp32", False] / times[chosen]
    gain = f"{ratio:.1f}x as fast as plain fp32" if isfinite(ratio) else "chosen"
    return f"one step of the largest network: {shown}; {_name(chosen)} is {gain}"


def _shown(ms: float) -> str:
    return f"{ms:.3g} ms" if isfinite(ms) else "could not be timed"


def _name(candidate: Candidate) -> str:
    precision, last = candidate
    return f"{precision} {'channels last' if last else 'channels first'}"


TIP = Tip(name="precision-and-layout", decide=decide)
