"""One thread: where sharing a step between cores costs more than it saves, do not share it.

Helps: small networks and small batches, whose operations are over before a second thread has woken; and machines that
others use as well, where every operation waits for the slowest thread.
Hurts: nothing where it was measured; a machine that becomes idle later would have been faster with more.
Cost: a few steps with each number of threads, within the share of the budget that measurements may take.
Source: measured on two cores with one of them busy: a small network's step took 1.9 ms on one thread and 4.7 ms on two.
"""

from dataclasses import replace
from math import isfinite

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Ask, Skipped, StepTime, Tip

LEAST_GAIN = 0.05
"""Share of the step that one thread must save."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Time the largest network with all threads and with one."""
    if plan.execution.device != "cpu":
        return Skipped(because="the network runs on a GPU")
    if not plan.ladder.rungs:
        return Skipped(because="the ladder has no networks")
    many = max(plan.execution.threads, min(brief.machine.cores, 64))
    if many == 1:
        return Skipped(because="there is one core")
    questions = {
        count: StepTime(
            plan=replace(plan, execution=replace(plan.execution, threads=count)), rung=len(plan.ladder.rungs) - 1
        )
        for count in (many, 1)
    }
    times = {count: fact.value for count, ask in questions.items() if (fact := brief.measured(ask.key))}
    if len(times) < len(questions):
        return Ask(measurements=tuple(questions.values()))
    told = f"a step of the largest network takes {times[1]:.3g} ms on one thread and {times[many]:.3g} ms on {many}"
    if not isfinite(times[1]) or times[1] > (1 - LEAST_GAIN) * times[many]:
        return Skipped(because=told)
    return Applied(plan=replace(plan, execution=replace(plan.execution, threads=1)), because=told)


TIP = Tip(name="one-thread", decide=decide, refines=("threads",))
