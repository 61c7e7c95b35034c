"""Keeping the budget: the course of a rung is fitted to the pace, and cooled down early where that does not suffice."""

from dataclasses import dataclass
from statistics import median

from fieldcraft.plan.schema import CoolDown, Retiming, Rung
from fieldcraft.train.course import Course

TAIL = 0.25  # share of the affordable steps that an early cool-down takes
STRETCHES = 41  # of a quarter of a second or more: a machine that stays slower is believed after five seconds
BELIEVED = 20  # stretches before the machine's pace counts
WORTH = 1.07  # times too much or too little time for the rest of the course, from which on the rest is retimed
SURE = 0.97  # of the time that is left, for which it is retimed
SETTLING = 0.6  # of the course, after which the rate goes down and an early end is a cool-down
TENTHS = 10  # of the course: the pace is looked at once in each
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


def own_s(share: float, left_s: float, before_s: float) -> float:
    """Seconds that a rung may still take, of its share of the time that was left when it began, `before_s` ago."""
    return min(left_s, max(0.0, share * (left_s + before_s) - before_s))


def most_steps(rung: Rung) -> int:
    """Steps up to which the course of a rung may be stretched; a repeat ends where the run that it repeats did."""
    return max(rung.most_steps, 0 if rung.retimings else rung.steps)


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


def retiming(
    course: Course, step: int, pace: Pace, left_s: float, *, work: float | None = None, most: int
) -> Retiming | None:
    """The retiming that begins at `step` so that the course ends with the time, or None when it does so anyway.

    What is left of the course takes longer or shorter in proportion; stretched up to `most` steps altogether. Where so
    little fits that it would be no more than a cool-down, `early_end` has its turn. `work` as in `early_end`.
    """
    if course.cool_downs or course.along(step) > SETTLING * course.planned or len(pace.recent) < BELIEVED:
        return None
    if pace.step_s is None or left_s == float("inf") or any(step <= one.at for one in course.retimings):
        return None
    rest = course.end - step
    times = left_s / (pace.step_s * (rest if work is None else work))
    if 1 / WORTH <= times <= WORTH:
        return None
    fitting = int(SURE * times * rest)
    if fitting <= TAIL * (step + fitting):
        return None
    end = min(max(most, course.end), step + fitting)
    return Retiming(at=step, end=end) if end != course.end else None
