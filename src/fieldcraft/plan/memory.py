"""How much memory a plan lets a training step take."""

from fieldcraft.plan.schema import Execution

ROOM = 0.6
"""Share of the free memory that a step may take: the rest is for buffers that kernels ask for on the way."""


def allowed_mib(execution: Execution, free_mib: float) -> float:
    """What a step may take where so much is free: its share of that, and no more than the plan says."""
    share = ROOM * free_mib
    return share if execution.memory_mib is None else min(share, execution.memory_mib)
