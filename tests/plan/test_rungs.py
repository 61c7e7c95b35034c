from dataclasses import replace

import pytest

from fieldcraft.errors import PlanError
from fieldcraft.plan.rungs import check_rungs
from fieldcraft.plan.schema import CoolDown, Ladder, Mlp, Plan, Regression, Retiming, Rung, TableInput

RUNG = Rung(name="small", network=Mlp(widths=(16,)), steps=100, lr=0.1)


def check(**changes: object) -> None:
    ladder = Ladder(rungs=(replace(RUNG, **changes),))  # type: ignore[arg-type]
    check_rungs(Plan(task=Regression(), input=TableInput(), ladder=ladder))


@pytest.mark.parametrize("name", ["linear", "mean-shape"])
def test_no_network_is_called_like_a_baseline(name: str) -> None:
    with pytest.raises(PlanError, match=f"{name}: so a baseline is called; give the network another name"):
        check(name=name)


@pytest.mark.parametrize(
    "retimings",
    [(Retiming(at=100, end=120),), (Retiming(at=50, end=70), Retiming(at=70, end=90)),
     (Retiming(at=50, end=120), Retiming(at=50, end=110))],
)  # fmt: skip
def test_retimings_come_in_order(retimings: tuple[Retiming, ...]) -> None:
    with pytest.raises(PlanError, match=r"small\.retimings must come in order"):
        check(retimings=retimings)


def test_an_early_end_begins_before_the_course_is_over() -> None:
    downs = (CoolDown(at=110, end=115),)
    check(cool_downs=downs, retimings=(Retiming(at=50, end=120), Retiming(at=60, end=130)))
    with pytest.raises(PlanError, match="must begin before the course ends"):
        check(cool_downs=downs)
