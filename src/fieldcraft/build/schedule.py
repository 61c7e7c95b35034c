"""The course of the learning rate, as a share of its peak."""

from math import cos, pi
from typing import assert_never

from fieldcraft.plan import schema


def rate(schedule: schema.Schedule, step: int, *, planned: int) -> float:
    """Share of the peak rate, in [0, 1], for optimiser step `step` (from 0) of a course of `planned` steps.

    Early ends of the course are in `train/course.py`. Raises: ValueError when `step` lies outside the course.
    """
    if not 0 <= step < planned:
        raise ValueError(f"`0 <= step < {planned}` must hold, but got {step=}.")
    match schedule:
        case schema.Constant():
            return 1.0
        case schema.OneCycle():
            return _one_cycle(schedule, step, planned)
        case _:
            assert_never(schedule)


def final_rate(schedule: schema.Schedule) -> float:
    """The schedule's last value, as a share of the peak."""
    match schedule:
        case schema.Constant():
            return 1.0
        case schema.OneCycle():
            return schedule.end
        case _:
            assert_never(schedule)


def _one_cycle(schedule: schema.OneCycle, step: int, steps: int) -> float:
    """The peak lies at step warm_up * steps - 1, as in torch's OneCycleLR (Smith and Topin 2017, arXiv:1708.07120)."""
    peak = max(schedule.warm_up * steps - 1, 0.0)
    ease = _cosine if schedule.shape == "cosine" else float
    if step < peak:
        return _between(schedule.start, 1.0, ease(step / peak))
    return _between(1.0, schedule.end, ease((step - peak) / (steps - 1 - peak))) if step > peak else 1.0


def _cosine(share: float) -> float:
    return (1 - cos(pi * share)) / 2


def _between(first: float, second: float, share: float) -> float:
    return first + (second - first) * share if share < 1 else second
