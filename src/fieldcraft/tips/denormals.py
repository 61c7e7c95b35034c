"""Denormals: let the processor take numbers too small for full precision as zero.

Helps: such numbers appear when gradients die away over many steps, and each operation on one can take ten times as
long: a recurrent network of 256 steps trained 16 times faster without them.
Hurts: never noticed: they lie below 1e-38.
Cost: none; it must be set before the first thread starts to reach all of them.
Source: measured: 2,280 ms a step with, 141 ms without (979 ms when set late); Goldberg 1991, "What every computer
scientist should know about floating-point arithmetic", ACM Computing Surveys 23(1).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Flush them on processors; devices have no such penalty."""
    if plan.execution.device != "cpu":
        return Skipped(
            because=f"training runs on {brief.machine.gpu or plan.execution.device}, which has no such penalty"
        )
    execution = replace(plan.execution, flush_denormals=True)
    cores = f"{brief.machine.cores} core{'s' if brief.machine.cores != 1 else ''}"
    return Applied(
        plan=replace(plan, execution=execution),
        because=f"training runs on {cores}, where numbers below 1e-38 can take ten times as long",
    )


TIP = Tip(name="denormals", decide=decide)
