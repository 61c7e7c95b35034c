"""Device: train on the GPU when there is one.

Helps: an order of magnitude or more for convolutions.
Hurts: tiny networks, whose steps are shorter than the time it takes to start them on the device.
Cost: the device's memory bounds the batch.
Source: Raina et al. 2009, "Large-scale deep unsupervised learning using graphics processors", ICML.
"""

from dataclasses import replace

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Choose the GPU if the machine has one."""
    machine = brief.machine
    if machine.gpu is None:
        return Skipped(because=f"no GPU was found: {machine.cores} cores of {machine.processor} train")
    execution = replace(plan.execution, device="cuda")
    return Applied(
        plan=replace(plan, execution=execution), because=f"{machine.gpu} with {machine.gpu_memory_mib:,} MiB"
    )


TIP = Tip(name="device", decide=decide)
