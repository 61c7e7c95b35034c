"""Threads: one for each core that the process may use.

Helps: convolutions and matrix products split evenly over cores; data are prepared in the same threads, between steps.
Hurts: more threads than cores, or worker processes beside them, make every step wait for the slowest.
Cost: none.
Source: measured: per-sample loading with two workers took about 40 % of a step on two cores that both train, 32 %
without workers, and 2-6 % when whole batches are prepared in the training threads.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Tip

MOST = 64
"""Beyond so many, splitting one batch costs more than it gains."""


def decide(brief: Brief, plan: Plan) -> Applied:
    """As many threads as usable cores, up to `MOST`."""
    cores = brief.machine.cores
    threads = max(1, min(cores, MOST))
    usable = "1 core is" if cores == 1 else f"{cores} cores are"
    execution = replace(plan.execution, threads=threads)
    return Applied(
        plan=replace(plan, execution=execution), because=f"{usable} usable: {threads} in training, no workers beside"
    )


TIP = Tip(name="threads", decide=decide)
