"""What a training step takes, overhead included: as measured, or as estimated where it could not be."""

from dataclasses import replace
from math import isfinite

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.epochs import OVERHEAD
from fieldcraft.tips.interface import StepTime
from fieldcraft.tips.phases import as_timed, phases
from fieldcraft.tips.rough import step_seconds


def questions(plan: Plan) -> tuple[StepTime, ...]:
    """What has to be timed to know the pace of every network of a plan."""
    return tuple(StepTime(plan=one, rung=place) for place in range(len(plan.ladder.rungs)) for _, one in phases(plan))


def pace_s(brief: Brief, plan: Plan, place: int) -> float:
    """Seconds a step of one network, over all sizes of its images."""
    return sum(share * _of_phase(brief, one, place) for share, one in phases(plan))


def _of_phase(brief: Brief, plan: Plan, place: int) -> float:
    answer = brief.measured(StepTime(plan=plan, rung=place).key)
    if answer is not None and isfinite(answer.value):
        return OVERHEAD * answer.value / 1000
    whole = replace(plan, input=as_timed(plan.input))
    return OVERHEAD * step_seconds(whole.ladder.rungs[place].network, brief, whole)
