"""The size of training images at each step of a rung, and what the steps of each size cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from fieldcraft.plan.schema import SmallerImages
from fieldcraft.train.course import Course


@dataclass(frozen=True)
class Stage:
    """Steps with images of one smaller size."""

    until: int
    """The first planned step that has another size; courses that were retimed reach it earlier or later."""
    side: int
    """Shorter side in pixels."""
    cost: float
    """Time of a step, as a share of that of a step at the whole size; for keeping time alone."""


@dataclass(frozen=True)
class Sizes:
    """Sizes by step: the stages, then the whole size, which every cool-down has from its beginning.

    A function of the plan and the journal, as the rate is: a rung that ends early still ends on whole images.
    """

    stages: tuple[Stage, ...] = ()

    @classmethod
    def of(cls, progressive: Sequence[SmallerImages], steps: int, costs: Sequence[float]) -> "Sizes":
        """Of a plan's sizes over so many steps; `costs` has one number a size."""
        stages = zip(progressive, costs, strict=True)
        return cls(tuple(Stage(until=round(one.until * steps), side=one.px, cost=cost) for one, cost in stages))

    def at(self, step: int, course: Course) -> Stage | None:
        """The stage of a step; None: the whole size."""
        if any(one.at <= step for one in course.cool_downs):
            return None
        return next((stage for stage in self.stages if course.along(step) < stage.until), None)

    def work(self, first: int, last: int, course: Course) -> float:
        """What the steps from `first` up to, not including, `last` cost, in steps of the whole size."""
        cools = min((one.at for one in course.cool_downs), default=last)
        saved, begin = 0.0, 0
        for stage in self.stages:
            until = course.reached(stage.until)
            count = min(until, last, cools) - max(begin, first)
            saved += max(0, count) * (1 - stage.cost)
            begin = max(begin, until)
        return last - first - saved
