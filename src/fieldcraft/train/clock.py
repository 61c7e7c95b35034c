"""The clock of a run: what was spent, also before it was killed and resumed; time spent dead does not count."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Seconds spent by a run against its budget."""

    budget_s: float | None
    """None: no limit."""
    spent_before_s: float = 0.0
    """By earlier processes of the same run."""
    started: float
    """Reading of `now` at which this process began to count."""
    now: Callable[[], float] = field(default=time.monotonic, repr=False)

    @property
    def spent_s(self) -> float:
        """By all processes of the run so far."""
        return self.spent_before_s + self.now() - self.started

    @property
    def left_s(self) -> float:
        """Until the budget ends; infinite when there is none."""
        return float("inf") if self.budget_s is None else self.budget_s - self.spent_s


def process_started() -> float:
    """Reading of time.monotonic() at which this process was started, restarts by exec included."""
    born: float = psutil.Process().create_time()
    return time.monotonic() - max(0.0, time.time() - born)
