"""Watching the loss: is it a number, and does it stay in reach of what it was?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

SPIKE = 4.0  # times the slow average, plus one: above anything that a rising one-cycle rate was seen to do
SLOWNESS = 0.98


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """The first step of a window at which the loss went wrong."""

    index: int
    """Position in the window."""
    loss: float
    because: str


@dataclass(frozen=True, kw_only=True)
class Guard:
    """What is known of the loss so far; `look` gives the guard after a window of steps, or the trouble in it."""

    slow: float | None = None
    """Exponential average over past steps."""
    seen: int = 0

    def look(self, losses: Sequence[float]) -> "Guard | Trouble":
        """Judge a window of losses, oldest first.

        Trouble: a loss that is NaN or infinite; or, from the 20th step on, one above 4 times the slow average plus 1.
        """
        slow, seen = self.slow, self.seen
        for index, loss in enumerate(losses):
            if not math.isfinite(loss):
                return Trouble(index=index, loss=loss, because=f"the loss was {loss}")
            if slow is not None and seen >= 20 and loss > SPIKE * max(slow, 0.0) + 1:
                return Trouble(
                    index=index, loss=loss, because=f"the loss leapt to {loss:.3g} from an average of {slow:.3g}"
                )
            slow = loss if slow is None else SLOWNESS * slow + (1 - SLOWNESS) * loss
            seen += 1
        return Guard(slow=slow, seen=seen)
