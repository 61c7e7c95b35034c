"""Which cores each worker gets."""

import os
from collections.abc import Sequence


def usable() -> tuple[int, ...]:
    """Numbers of the cores that this process may use; empty where the system does not tell."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def shares(cores: Sequence[int], workers: int, threads: int) -> tuple[tuple[int, ...], ...]:
    """Cores of each worker: its own as long as there are enough, shared as evenly as can be after that.

    Empty: not pinned, because there are no cores to choose from or a worker wants all of them.
    """
    if not cores or threads >= len(cores):
        return ((),) * workers
    return tuple(
        tuple(sorted({cores[(place * threads + one) % len(cores)] for one in range(threads)}))
        for place in range(workers)
    )


def pin(cores: Sequence[int]) -> None:
    """Keep this process, and the threads that it starts from now on, to some cores, where the system can."""
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
