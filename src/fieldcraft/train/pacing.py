"""Keeping the budget: when must the rate go down early, so that training ends well and in time?"""

from dataclasses import dataclass

from fieldcraft.plan.schema import CoolDown
from fieldcraft.train.course import Course

TAIL = 0.25  # share of the affordable steps that an early cool-down takes
MARGIN = 0.93  # of what seems affordable once the decision is taken: machines get slower as well as faster


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds a step, as an exponential average of what was measured."""

    step_s: float | None = None

    def after(self, seconds: float, steps: int) -> "Pace":
        """The pace after so many more steps."""
        new = seconds / steps
        return Pace(step_s=new if self.step_s is None else 0.7 * self.step_s + 0.3 * new)


def early_end(course: Course, step: int, pace: Pace, left_s: float) -> CoolDown | None:
    """The cool-down that must begin at `step`, or None when the course can go on.

    The course is followed for as long as a cool-down over a quarter of all affordable steps still fits in.
    """
    if pace.step_s is None or left_s == float("inf"):
        return None
    affordable = max(0, int(left_s / pace.step_s))
    if affordable >= course.end - step:
        return None
    cooling = bool(course.cool_downs) and course.cool_downs[-1].at <= step
    if not cooling and affordable > TAIL * (step + affordable):
        return None
    return CoolDown(at=step, end=min(course.end, step + int(MARGIN * affordable)))
