"""The course of the learning rate: as planned, retimed to the machine's pace, or cooled down early."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from fieldcraft.build.schedule import final_rate, rate
from fieldcraft.plan.schema import CoolDown, Plateau, Retiming, Rung, Schedule
from fieldcraft.train.progress import Seen, cuts


@dataclass(frozen=True, kw_only=True)
class Course:
    """Rates for each step of a rung, and where the rung ends."""

    schedule: Schedule
    planned: int
    peak: float
    retimings: tuple[Retiming, ...] = ()
    cool_downs: tuple[CoolDown, ...] = ()
    cuts: tuple[int, ...] = ()
    """Steps from which a plateau's rate is smaller, once more each."""

    @classmethod
    def of(cls, rung: Rung, schedule: Schedule, journalled: Sequence[CoolDown | Retiming] = ()) -> "Course":
        """The course of a rung, with the cool-downs and retimings that its plan and the journal hold."""
        retimed = [one for one in journalled if isinstance(one, Retiming)]
        cooled = [one for one in journalled if isinstance(one, CoolDown)]
        return cls(
            schedule=schedule,
            planned=rung.steps,
            peak=rung.lr,
            retimings=(*rung.retimings, *(one for one in retimed if one not in rung.retimings)),
            cool_downs=(*rung.cool_downs, *(one for one in cooled if one not in rung.cool_downs)),
        )

    @property
    def end(self) -> int:
        """Number of optimiser steps."""
        last = self.cool_downs or self.retimings
        return last[-1].end if last else self.planned

    def cooled(self, cool_down: CoolDown) -> "Course":
        """The course with one more early end."""
        return replace(self, cool_downs=(*self.cool_downs, cool_down))

    def retimed(self, retiming: Retiming) -> "Course":
        """The course with the rest of it stretched or compressed."""
        return replace(self, retimings=(*self.retimings, retiming))

    def along(self, step: int) -> float:
        """The place of a step on the course as it was planned: a number of planned steps, below their count."""
        at, place = 0.0, 0.0
        scale = 1.0
        for one in self.retimings:
            if step < one.at:
                break
            at, place = one.at, place + (one.at - at) * scale
            scale = (self.planned - place) / (one.end - one.at)
        return min(place + (step - at) * scale, self.planned - 1.0) if self.retimings else step

    def reached(self, place: int) -> int:
        """The first step that is so far along the course; the end where none is."""
        if not self.retimings:
            return place
        return bisect_left(range(self.retimings[-1].end), float(place), key=self.along)

    def after(self, seen: Sequence[Seen], *, higher: bool) -> "Course":
        """The course once validation was looked at; `higher`: whether larger values of the metric are better."""
        if not isinstance(self.schedule, Plateau):
            return self
        first = self.reached(ceil(self.schedule.warm_up * self.planned))
        return replace(self, cuts=cuts(self.schedule, seen, higher=higher, first=first))

    def rate(self, step: int) -> float:
        """Learning rate of one optimiser step, counted from 0.

        A cool-down goes linearly from the rate that held at its step to the schedule's last rate.
        """
        return self.peak * self._factor(step, len(self.cool_downs))

    def _factor(self, step: int, known: int) -> float:
        taken = [one for one in self.cool_downs[:known] if one.at <= step]
        if not taken:
            return self._cut(rate(self.schedule, self.along(step), planned=self.planned), step)
        last = taken[-1]
        start = self._factor(last.at, self.cool_downs.index(last))
        share = 1.0 if last.end - last.at <= 1 else min(1.0, (step - last.at) / (last.end - 1 - last.at))
        return start + (final_rate(self.schedule) - start) * share

    def _cut(self, share: float, step: int) -> float:
        count = sum(at <= step for at in self.cuts)
        if not isinstance(self.schedule, Plateau) or not count:
            return share
        return max(self.schedule.end, float(share * self.schedule.factor**count))
