"""Keeping the budget: when must the rate go down early, so that training ends well and in time?"""

from dataclasses import dataclass
from statistics import median

from fieldcraft.plan.schema import CoolDown
from fieldcraft.train.course import Course

TAIL = 0.25  # share of the affordable steps that an early cool-down takes
STRETCHES = 41  # of a quarter of a second or more: a machine that stays slower is believed after five seconds
MARGIN = 0.93  # of what seems affordable once the decision is taken: machines get slower as well as faster


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds a step: the median over recent stretches, so that a machine that stalls once is not called slow."""

    recent: tuple[float, ...] = ()
    """Seconds a step of each recent stretch, oldest first."""

    @property
    def step_s(self) -> float | None:
        """Seconds a step; None before anything was measured."""
        return median(self.recent) if self.recent else None

    def after(self, seconds: float, steps: float) -> "Pace":
        """The pace after so many more steps, or after work worth so many."""
        return Pace(recent=(*self.recent, seconds / steps)[-STRETCHES:])


def early_end(course: Course, step: int, pace: Pace, left_s: float, *, work: float | None = None) -> CoolDown | None:
    """The cool-down that must begin at `step`, or None when the course can go on.

    The course is followed for as long as a cool-down over a quarter of all affordable steps still fits in. `work`: what
    the rest of the course costs where its steps differ, in steps as `pace` and every cool-down have them.
    """
    if pace.step_s is None or left_s == float("inf"):
        return None
    affordable = max(0, int(left_s / pace.step_s))
    if affordable >= (course.end - step if work is None else work):
        return None
    cooling = bool(course.cool_downs) and course.cool_downs[-1].at <= step
    if not cooling and affordable > TAIL * (step + affordable):
        return None
    return CoolDown(at=step, end=min(course.end, step + int(MARGIN * affordable)))
