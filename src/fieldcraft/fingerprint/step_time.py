"""How long steps take: candidates in turn, so that what disturbs the machine disturbs them all."""

from collections.abc import Callable, Mapping
from statistics import median_low
from time import perf_counter

from fieldcraft.records.fact import Fact

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
    """How long each step takes in milliseconds, by its key: the lower median, or the warm-up where that was faster.

    Every step runs once to warm up, then all of them run in turn, round after round: at least once, at most `rounds`
    times, and no further round begins that would end later than `limit_s` seconds after the first warm-up. Where the
    warm-ups alone took more than twice as long, they are the answer. After four times as long nothing more is tried,
    so that steps to be tried first come first. A step must not return before its device is done. One that raises
    RuntimeError (a precision that the device lacks, memory that it has not) is left out, and the facts of the others
    say so.
    """
    start = clock()
    warm_ups: dict[str, float] = {}
    times: dict[str, list[float]] = {}
    failed: list[str] = []

    def run(key: str) -> float | None:
        seconds = _timed(steps[key], clock)
        if isinstance(seconds, float):
            return seconds
        failed.append(f"{key} did not run ({seconds})")
        return None

    def late(share: float) -> bool:
        return clock() - start > share * limit_s

    for key in steps:
        if warm_ups and late(GIVE_UP):
            failed.append(f"{key} was not tried, as time was short")
        elif (warm_up := run(key)) is not None:
            warm_ups[key], times[key] = warm_up, []
    taken, round_s = 0, 0.0
    most = 0 if late(TOO_LONG) else rounds
    while times and taken < most and (not taken or clock() - start + round_s <= limit_s):
        began = clock()
        for key in tuple(times):
            if late(GIVE_UP):
                break
            if (seconds := run(key)) is None:
                del times[key]
            else:
                times[key].append(seconds)
        taken, round_s = taken + 1, clock() - began
    turns = f", in turn with {len(times) - 1} more" if len(times) > 1 else ""
    told = f"{taken} steps after one to warm up" if taken else "one step, its warm-up in it, as time was short"
    note = "; ".join((f"{told}{turns}", *failed))
    return {
        key: Fact(
            # What disturbs a step only makes it slower, and a pace taken for too slow is never made good.
            value=1000 * min(warm_ups[key], median_low(found or [warm_ups[key]])),
            method="lower median, in ms",
            sample=note,
        )
        for key, found in times.items()
    }


def _timed(step: Callable[[], None], clock: Callable[[], float]) -> float | str:
    """Seconds, or why the step did not run."""
    before = clock()
    try:
        step()
    except RuntimeError as error:
        return " ".join(str(error).split())[:120] or type(error).__name__
    return clock() - before
