"""The course of the learning rate, as a share of its peak."""

from collections.abc import Callable
from math import ceil, cos, pi
from typing import assert_never

from fieldcraft.plan import schema


def rate(schedule: schema.Schedule, step: float, *, planned: int) -> float:
    """Share of the peak rate, in [0, 1], for optimiser step `step` (from 0) of a course of `planned` steps.

    Between whole steps lie those of a course that was stretched.

    Cuts by `Plateau` hang on what validation says: they, and early ends, are in `train/course.py`.
    Raises: ValueError when `step` lies outside the course.
    """
    if not 0 <= step < planned:
        raise ValueError(f"`0 <= step < {planned}` must hold, but got {step=}.")
    match schedule:
        case schema.Constant():
            return 1.0
        case schema.OneCycle():
            return _one_cycle(schedule, step, planned)
        case schema.Cosine():
            return _warmed(schedule.warm_up, step, planned, lambda share: _between(1.0, schedule.end, _cosine(share)))
        case schema.Step():
            return _warmed(schedule.warm_up, step, planned, lambda _: _cut(schedule, step, planned))
        case schema.Restarts():
            return _warmed(schedule.warm_up, step, planned, lambda share: _restarted(schedule, share))
        case schema.Plateau():
            return _warmed(schedule.warm_up, step, planned, lambda _: 1.0)
        case _:
            assert_never(schedule)


def final_rate(schedule: schema.Schedule) -> float:
    """The schedule's last value, as a share of the peak."""
    match schedule:
        case schema.Constant():
            return 1.0
        case schema.OneCycle() | schema.Cosine() | schema.Restarts() | schema.Plateau():
            return schedule.end
        case schema.Step():
            return float(schedule.factor ** len(schedule.at))
        case _:
            assert_never(schedule)


def _one_cycle(schedule: schema.OneCycle, step: float, steps: int) -> float:
    """The peak lies at step warm_up * steps - 1, as in torch's OneCycleLR (Smith and Topin 2017, arXiv:1708.07120)."""
    peak = max(schedule.warm_up * steps - 1, 0.0)
    ease = _cosine if schedule.shape == "cosine" else float
    if step < peak:
        return _between(schedule.start, 1.0, ease(step / peak))
    return _between(1.0, schedule.end, ease((step - peak) / (steps - 1 - peak))) if step > peak else 1.0


def _warmed(warm_up: float, step: float, steps: int, after: Callable[[float], float]) -> float:
    """Straight up to the peak, which is reached after `warm_up` of the steps; then `after` the share of the rest."""
    first = ceil(warm_up * steps)
    if step < first:
        return (step + 1) / (first + 1)
    return after((step - first) / max(1, steps - 1 - first))


def _cut(schedule: schema.Step, step: float, steps: int) -> float:
    """The factor to the power of the places passed."""
    return float(schedule.factor ** sum(step >= place * steps for place in schedule.at))


def _restarted(schedule: schema.Restarts, share: float) -> float:
    """Warm restarts (Loshchilov and Hutter 2017, arXiv:1608.03983): descents of lengths 1, growth, growth^2, ..."""
    lengths = [schedule.growth**cycle for cycle in range(schedule.cycles)]
    place = share * sum(lengths)
    for length in lengths[:-1]:
        if place < length:
            return _between(1.0, schedule.end, _cosine(place / length))
        place -= length
    return _between(1.0, schedule.end, _cosine(min(1.0, place / lengths[-1])))


def _cosine(share: float) -> float:
    return (1 - cos(pi * share)) / 2


def _between(first: float, second: float, share: float) -> float:
    return first + (second - first) * share if share < 1 else second
