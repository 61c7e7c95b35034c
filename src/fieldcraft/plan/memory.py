"""How much memory a plan lets a training step take."""

from fieldcraft.plan.schema import Execution

ROOM = 0.6
"""Share of the free memory that a step may take: the rest is for buffers that kernels ask for on the way."""


def allowed_mib(execution: Execution, free_mib: float) -> float:
    """What steps are laid out for where so much is free: a share of that, and no more than the plan says."""
    return most_mib(execution, ROOM * free_mib)


def most_mib(execution: Execution, free_mib: float) -> float:
    """Above which a step is not begun where so much is free: all of that, and no more than the plan says."""
    return free_mib if execution.memory_mib is None else min(free_mib, execution.memory_mib)
