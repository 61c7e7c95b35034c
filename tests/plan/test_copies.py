from dataclasses import replace

import pytest

from fieldcraft.errors import PlanError
from fieldcraft.plan.copies import check_copies, following
from fieldcraft.plan.edit import edit
from fieldcraft.plan.revert import reverted
from fieldcraft.plan.schema import CoolDown, Ladder, Mlp, Plan, Regression, Retiming, Rung, TableInput

FIRST = Rung(name="large", network=Mlp(widths=(16,)), steps=100, lr=0.1)
COPIES = tuple(replace(FIRST, name=f"large-{number}", copy_of="large") for number in (2, 3))
PLAN = Plan(
    task=Regression(), input=TableInput(), ladder=Ladder(rungs=(FIRST, *COPIES), ensemble="if-better", baselines=())
)


def test_copies_follow_what_is_set_by_hand() -> None:
    found = edit(PLAN, ["ladder.rungs.large.network.widths=[8, 8]", "ladder.rungs.large.lr=0.01"])
    assert [rung.network for rung in found.ladder.rungs] == [Mlp(widths=(8, 8))] * 3
    assert [rung.lr for rung in found.ladder.rungs] == [0.01] * 3
    check_copies(found)


@pytest.mark.parametrize("name", ["large-2", "1"])
def test_what_a_copy_has_from_its_original_is_set_there(name: str) -> None:
    with pytest.raises(PlanError, match=r"repeats large and follows it: set ladder\.rungs\.large\.lr instead"):
        edit(PLAN, [f"ladder.rungs.{name}.lr=0.2"])


def test_a_copy_may_become_a_network_of_its_own() -> None:
    alone = edit(PLAN, ["ladder.rungs.large-2.copy_of=''"])
    assert edit(alone, ["ladder.rungs.large-2.lr=0.2"]).ladder.rungs[1].lr == 0.2


def test_early_ends_stay_their_own() -> None:
    ended = replace(COPIES[0], cool_downs=(CoolDown(at=1, end=2),))
    plan = replace(PLAN, ladder=replace(PLAN.ladder, rungs=(FIRST, ended)))
    assert following(plan) == plan


def test_steps_that_are_set_by_hand_are_those_of_copies_too() -> None:
    plan = following(replace(PLAN, ladder=replace(PLAN.ladder, rungs=(replace(FIRST, most_steps=900), *COPIES))))
    assert [rung.most_steps for rung in plan.ladder.rungs] == [900] * 3
    found = edit(plan, ["ladder.rungs.large.steps=50"]).ladder.rungs
    assert [(rung.steps, rung.most_steps) for rung in found] == [(50, 0)] * 3


def test_other_steps_take_no_retimings_and_early_ends_with_them() -> None:
    first, copy = (
        replace(one, retimings=(Retiming(at=60, end=90),), cool_downs=(CoolDown(at=80, end=85),))
        for one in (FIRST, COPIES[0])
    )
    plan = replace(PLAN, ladder=replace(PLAN.ladder, rungs=(first, copy)))
    found = edit(plan, ["ladder.rungs.large.steps=50"]).ladder.rungs
    assert [(rung.steps, rung.retimings, rung.cool_downs) for rung in found] == [(50, (), ())] * 2
    unequal = replace(plan, ladder=replace(plan.ladder, rungs=(replace(FIRST, steps=50), copy)))
    with pytest.raises(PlanError, match="must be the same in both"):
        check_copies(unequal)


def test_what_a_tip_did_is_taken_back_in_copies_too() -> None:
    plain = replace(FIRST, network=Mlp(widths=(16,), dropout=0.5))
    before = replace(PLAN, ladder=replace(PLAN.ladder, rungs=(plain,)))
    after = replace(PLAN, ladder=replace(PLAN.ladder, rungs=(FIRST,)))
    found = reverted(PLAN, before, after)
    assert [rung.network for rung in found.ladder.rungs] == [plain.network] * 3


def test_copies_that_nobody_would_average_are_refused() -> None:
    with pytest.raises(PlanError, match=r"large-2, large-3 would be trained to be averaged, and `ensemble` is none"):
        edit(PLAN, ["ladder.ensemble=none"])
