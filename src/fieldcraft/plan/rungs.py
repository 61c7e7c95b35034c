"""What rungs of a plan that is to be trained must be like, beyond their single fields."""

from typing import get_args

from fieldcraft.errors import PlanError
from fieldcraft.plan.copies import check_copies
from fieldcraft.plan.schema import Baseline, Plan, Rung


def check_rungs(plan: Plan) -> None:
    """Raises: PlanError where a rung is called like a baseline, where what was decided on its way does not fit its
    steps, or where it repeats none above it or is not like it.
    """
    for rung in plan.ladder.rungs:
        if rung.name in get_args(Baseline):
            raise PlanError(f"ladder.rungs.{rung.name}: so a baseline is called; give the network another name.")
        _check_course(rung)
    check_copies(plan)


def _check_course(rung: Rung) -> None:
    end, last = rung.steps, -1
    for one in rung.retimings:
        if not last < one.at < end:
            raise PlanError(
                f"ladder.rungs.{rung.name}.retimings must come in order, each before the end that held until then: "
                f"step {one.at} is not after step {max(last, 0)} and before step {end}. Empty, they leave the course "
                "as planned."
            )
        end, last = one.end, one.at
    if late := [one.at for one in rung.cool_downs if one.at >= end]:
        raise PlanError(
            f"ladder.rungs.{rung.name}.cool_downs must begin before the course ends (step {end}), got step {late[0]}. "
            "Empty, they leave the course as planned."
        )
