"""How long steps take: candidates in turn, so that what disturbs the machine disturbs them all."""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter

from fieldcraft.records.facts import Fact

TOO_LONG = 2.0
"""Times the limit that warm-ups may take before they are the answer."""
GIVE_UP = 4.0
"""Times the limit after which nothing more is tried."""


def interleaved(
    steps: Mapping[str, Callable[[], None]],
    *,
    rounds: int = 4,
    limit_s: float,
    clock: Callable[[], float] = perf_counter,
) -> dict[str, Fact[float]]:
    """The median time of each step in milliseconds, by its key.

    Every step runs once to warm up, then all of them run in turn, round after round: at least once, at most `rounds`
    times, and no further round begins that would end later than `limit_s` seconds after the first warm-up. Where the
    warm-ups alone took more than twice as long, they are the answer; what four times as long did not suffice for is
    left out, so that those to be tried first come first. A step must not return before its device is done. One that
    raises RuntimeError (a precision that the device lacks, memory that it has not) is left out, and the facts of the
    others say so.
    """
    start = clock()
    times: dict[str, list[float]] = {}
    failed: list[str] = []
    for key, step in steps.items():
        if times and clock() - start > GIVE_UP * limit_s:
            failed.append(f"{key} was not tried, as time was short")
            continue
        warm_up = _timed(step, clock)
        if isinstance(warm_up, float):
            times[key] = [warm_up]
        else:
            failed.append(f"{key} did not run ({warm_up})")
    warm = clock() - start <= TOO_LONG * limit_s
    if warm:
        times = {key: [] for key in times}
    taken, round_s = 0, 0.0
    while warm and times and taken < rounds and (not taken or clock() - start + round_s <= limit_s):
        began = clock()
        for key in tuple(times):
            seconds = _timed(steps[key], clock)
            if isinstance(seconds, float):
                times[key].append(seconds)
            else:
                del times[key]
                failed.append(f"{key} did not run ({seconds})")
        taken, round_s = taken + 1, clock() - began
    turns = f", in turn with {len(times) - 1} more" if len(times) > 1 else ""
    told = f"{taken} steps after one to warm up" if warm else "one step, its warm-up in it, as time was short"
    note = "; ".join((f"{told}{turns}", *failed))
    return {
        key: Fact(value=1000 * median(seconds), method="median of training steps, in ms", sample=note)
        for key, seconds in times.items()
    }


def _timed(step: Callable[[], None], clock: Callable[[], float]) -> float | str:
    """Seconds, or why the step did not run."""
    before = clock()
    try:
        step()
    except RuntimeError as error:
        return " ".join(str(error).split())[:120] or type(error).__name__
    return clock() - before
