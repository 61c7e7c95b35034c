"""Timing things in turn, so that their ratio holds on a machine that others use as well."""

import statistics
import time
from collections.abc import Callable, Mapping

from fieldcraft.records.facts import Fact


def interleaved(
    steps: Mapping[str, Callable[[], None]], *, rounds: int = 4, limit_s: float
) -> dict[str, Fact[float]]:
    """Median milliseconds of each step, by name.

    Each is run once unmeasured, then all in turn for `rounds` rounds; after `limit_s` no new round begins, but each
    gets at least one. A step that raises RuntimeError (a precision that the machine lacks, say) is left out.
    """
    began = time.perf_counter()
    alive = {name: step for name, step in steps.items() if _runs(step)}
    times: dict[str, list[float]] = {name: [] for name in alive}
    for turn in range(rounds):
        if turn and time.perf_counter() - began > limit_s:
            break
        for name, step in alive.items():
            start = time.perf_counter()
            step()
            times[name].append(1000 * (time.perf_counter() - start))
    return {
        name: Fact(
            value=statistics.median(found),
            method="median of training steps timed in turn, in milliseconds",
            sample=f"{len(found)} steps, from {min(found):.1f} to {max(found):.1f} ms",
        )
        for name, found in times.items()
    }


def _runs(step: Callable[[], None]) -> bool:
    try:
        step()
    except RuntimeError:
        return False
    return True
