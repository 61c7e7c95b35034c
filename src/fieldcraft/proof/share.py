"""How many workers, with how many threads each: a measured choice."""

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """So many workers with so many threads each."""

    workers: int
    threads: int


def best_share(cores: int, seconds_by_threads: Mapping[int, float]) -> Share:
    """The share of the cores with which most steps are done in the same time.

    `seconds_by_threads`: seconds of one training step for each number of threads, measured while as many workers run
    at once as fit on the cores (`cores // threads`); measured alone, one thread looks better than it is where memory or
    cache is what workers wait for. Numbers of threads beyond the cores and times that are no number do not count; of
    two that do the same, the one with fewer workers, which need less memory. Nothing measured: one worker.
    Raises: ValueError for fewer than one core.
    """
    if cores < 1:
        raise ValueError(f"`cores >= 1` must hold, but got {cores=}.")
    fitting = {
        threads: seconds
        for threads, seconds in seconds_by_threads.items()
        if 1 <= threads <= cores and math.isfinite(seconds) and seconds > 0
    }
    if not fitting:
        return Share(workers=1, threads=cores)
    threads = max(fitting, key=lambda one: ((cores // one) / fitting[one], one))
    return Share(workers=cores // threads, threads=threads)
