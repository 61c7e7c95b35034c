"""Rungs that repeat another one: they follow it."""

from collections.abc import Iterable
from dataclasses import replace

from fieldcraft.errors import PlanError
from fieldcraft.plan.schema import Plan, Rung
from fieldcraft.plan.shape import nearest

FOLLOWED = ("network", "lr", "steps", "most_steps")
"""Fields of a rung that its repetitions have from it."""


def following(plan: Plan) -> Plan:
    """The plan with every repetition as the rung that it repeats is; early ends and retimings stay their own."""
    first = {rung.name: rung for rung in plan.ladder.rungs}
    rungs = tuple(_like(rung, first[rung.copy_of]) if rung.copy_of in first else rung for rung in plan.ladder.rungs)
    return plan if rungs == plan.ladder.rungs else replace(plan, ladder=replace(plan.ladder, rungs=rungs))


def check_copies(plan: Plan) -> None:
    """Raises: PlanError where a rung repeats none above it, or is not like it."""
    for place, rung in enumerate(plan.ladder.rungs):
        firsts = {one.name: one for one in plan.ladder.rungs[:place] if not one.copy_of}
        if not rung.copy_of:
            continue
        if rung.copy_of not in firsts:
            raise PlanError(
                f"ladder.rungs.{rung.name}.copy_of must name a rung above it that is no copy itself "
                f"({', '.join(firsts) or 'there is none'}), but it is {rung.copy_of!r}"
                f"{nearest(rung.copy_of, tuple(firsts))}"
            )
        if _like(rung, firsts[rung.copy_of]) != rung:
            raise PlanError(
                f"ladder.rungs.{rung.name} repeats {rung.copy_of}, so {', '.join(FOLLOWED)} must be the same in both: "
                f"change {rung.copy_of} with --set, and its repetitions follow, or empty `copy_of`."
            )


def check_named(plan: Plan, keys: Iterable[tuple[str, ...]]) -> None:
    """Raises: PlanError where what was set by hand is another than the rung has that this one repeats."""
    first = {rung.name: rung for rung in plan.ladder.rungs}
    strays = {
        name: rung.copy_of
        for at, rung in enumerate(plan.ladder.rungs)
        if rung.copy_of in first and _like(rung, first[rung.copy_of]) != rung
        for name in (rung.name, str(at))
    }
    for one in keys:
        if one[:2] == ("ladder", "rungs") and len(one) > 3 and one[2] in strays and one[3] in FOLLOWED:
            raise PlanError(
                f"--set {'.'.join(one)}: {one[2]} repeats {strays[one[2]]} and follows it: "
                f"set ladder.rungs.{strays[one[2]]}.{'.'.join(one[3:])} instead."
            )


def _like(copy: Rung, first: Rung) -> Rung:
    """A repetition as its original is; what became of its course holds for as many steps as it had."""
    if copy.steps != first.steps:
        copy = replace(copy, retimings=(), cool_downs=(), back_offs=())
    return replace(copy, network=first.network, lr=first.lr, steps=first.steps, most_steps=first.most_steps)
