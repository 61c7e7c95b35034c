"""What carries trials out: in this process, in workers on this machine, or on a cluster. All look alike."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from fieldcraft.records.proof import Outcome, Trial

Run = Callable[[Trial], Outcome]
"""Carries out one trial; what goes wrong in it is in the outcome, it does not raise."""


class Engine(Protocol):
    """Trials go in, outcomes come out in the order in which they end."""

    @property
    def places(self) -> int:
        """Trials that run at once."""

    def start(self, trial: Trial) -> None:
        """Hand a trial in; only while fewer than `places` of them run."""

    def ended(self, timeout_s: float) -> Outcome | None:
        """The next outcome; None when nothing ended within the time."""

    def close(self) -> None:
        """Let go of all workers, with or without trials in them."""


@dataclass
class Inline:
    """One trial after the other, here and now."""

    run: Run
    waiting: deque[Trial] = field(default_factory=deque)
    places: int = 1

    def start(self, trial: Trial) -> None:
        """Hand a trial in."""
        self.waiting.append(trial)

    def ended(self, timeout_s: float) -> Outcome | None:
        """The next outcome; the time is not looked at."""
        return self.run(self.waiting.popleft()) if self.waiting else None

    def close(self) -> None:
        """Nothing to let go of."""
