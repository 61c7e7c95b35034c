"""A deadline: the only place where a baseline looks at the clock."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Deadline:
    """A moment at which work must have ended; `None` means that the amount of work is fixed and no clock is read."""

    end: float | None
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> "Deadline":
        """So many seconds from now."""
        return cls(None if seconds is None else clock() + seconds, clock)

    @property
    def left(self) -> float:
        """Seconds that remain, never negative; infinite without a deadline."""
        return float("inf") if self.end is None else max(0.0, self.end - self.clock())

    @property
    def over(self) -> bool:
        """Whether the moment has passed."""
        return self.left <= 0.0

    @property
    def timed(self) -> bool:
        """Whether there is a moment at all."""
        return self.end is not None

    def now(self) -> float:
        """A reading of the clock; 0 without a deadline, so that nothing can come to depend on it."""
        return 0.0 if self.end is None else self.clock()

    def share(self, part: float) -> "Deadline":
        """The deadline of a first step that may take `part` of what remains."""
        return self if self.end is None else Deadline(self.clock() + part * self.left, self.clock)
