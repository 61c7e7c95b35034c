"""A rung's steps by the size of their images: what each phase is to be timed as, and what all of it takes."""

from dataclasses import replace
from itertools import pairwise

from fieldcraft.plan.schema import ImageInput, InputPlan, Plan, SmallerImages


def phases(plan: Plan) -> tuple[tuple[float, Plan], ...]:
    """(share of the steps, the plan as it would be with all steps of that phase's size), in their order."""
    sample = plan.input
    if not isinstance(sample, ImageInput) or not sample.progressive:
        return ((1.0, plan),)
    ends = (0.0, *(one.until for one in sample.progressive), 1.0)
    sizes = (*(one.px for one in sample.progressive), None)
    shares = [after - before for before, after in pairwise(ends)]
    return tuple((share, at_size(plan, px)) for share, px in zip(shares, sizes, strict=True) if share > 0)


def at_size(plan: Plan, px: int | None) -> Plan:
    """The plan with all steps at one size, the shorter side in pixels; None: the whole size."""
    sample = plan.input
    if not isinstance(sample, ImageInput):
        return plan
    sizes = () if px is None else (SmallerImages(until=1.0, px=px),)
    return replace(plan, input=replace(sample, progressive=sizes))


def only_size(sample: ImageInput) -> int | None:
    """The smaller size that all steps have, as `at_size` makes it, or None."""
    first = next(iter(sample.progressive), None)
    return first.px if first is not None and first.until == 1 else None


def timed(sample: InputPlan) -> InputPlan:
    """The input as a step of it is timed: at one smaller size, or else at the whole one."""
    if not isinstance(sample, ImageInput):
        return sample
    return replace(sample, progressive=sample.progressive[:1] if only_size(sample) is not None else ())


def as_timed(sample: InputPlan) -> InputPlan:
    """The input with the size that its timed step has."""
    if not isinstance(sample, ImageInput) or (px := only_size(sample)) is None:
        return sample
    side = min(sample.height, sample.width)
    if px >= side:
        return sample
    return replace(
        sample, height=max(1, round(sample.height * px / side)), width=max(1, round(sample.width * px / side))
    )
