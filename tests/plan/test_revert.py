from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from fieldcraft.plan.diff import diff
from fieldcraft.plan.revert import reverted
from fieldcraft.plan.schema import (
    AdamW,
    Averaging,
    Batch,
    Cnn,
    ImageInput,
    Ladder,
    OneCycle,
    Plan,
    ResNet,
    Rung,
    Sgd,
    SingleLabel,
)

PLAN = Plan(task=SingleLabel(), input=ImageInput(height=28, width=28, channels=1))
SMALL = Rung(name="small", network=Cnn(), steps=100, lr=0.01)
LARGE = Rung(name="large", network=ResNet(widths=(8, 16), depths=(1, 1)), steps=200, lr=0.1)
LADDER = replace(PLAN, ladder=Ladder(rungs=(SMALL, LARGE)))

changed = st.sampled_from(
    [
        lambda plan: replace(plan, optimiser=Sgd(momentum=0.5)),
        lambda plan: replace(plan, optimiser=AdamW(weight_decay=0.3)),
        lambda plan: replace(plan, schedule=OneCycle(warm_up=0.3)),
        lambda plan: replace(plan, batch=Batch(size=7)),
        lambda plan: replace(plan, averaging=Averaging(decay=0.5)),
        lambda plan: replace(plan, ladder=Ladder(rungs=(replace(SMALL, lr=0.5),))),
        lambda plan: replace(plan, ladder=Ladder(rungs=(SMALL, LARGE))),
    ]
)


@given(changed, changed)
def test_taking_the_last_change_back_gives_the_plan_before_it(first: object, second: object) -> None:
    before = first(PLAN)  # type: ignore[operator]
    after = second(before)  # type: ignore[operator]
    assert reverted(after, before, after) == before


@given(changed, changed)
def test_taking_back_nothing_changes_nothing(first: object, second: object) -> None:
    plan = first(PLAN)  # type: ignore[operator]
    now = second(plan)  # type: ignore[operator]
    assert reverted(now, plan, plan) == now


def test_what_others_changed_later_stays() -> None:
    after = replace(LADDER, batch=Batch(size=64))
    now = replace(after, averaging=Averaging(decay=0.9))
    assert diff(reverted(now, LADDER, after), now) == ("batch.size",)


def test_a_field_that_was_set_again_later_stays() -> None:
    after = replace(LADDER, batch=Batch(size=64))
    now = replace(after, batch=Batch(size=128))
    assert reverted(now, LADDER, after) == now


def test_a_kind_goes_back_and_keeps_what_others_set_in_it() -> None:
    before = replace(LADDER, optimiser=AdamW(beta1=0.8))
    after = replace(before, optimiser=Sgd(momentum=0.9))
    now = replace(after, optimiser=Sgd(momentum=0.9, weight_decay=0.02))
    assert reverted(now, before, after).optimiser == AdamW(beta1=0.8, weight_decay=0.02)


def test_a_kind_that_changed_again_later_stays() -> None:
    after = replace(LADDER, schedule=OneCycle())
    assert reverted(LADDER, replace(LADDER, optimiser=AdamW()), after) == LADDER


def test_rungs_go_by_name() -> None:
    only_small = replace(LADDER, ladder=replace(LADDER.ladder, rungs=(SMALL,)))
    slower = replace(LADDER, ladder=replace(LADDER.ladder, rungs=(replace(SMALL, lr=0.001), LARGE)))
    assert [rung.name for rung in reverted(slower, only_small, LADDER).ladder.rungs] == ["small"]
    assert [rung.name for rung in reverted(only_small, LADDER, only_small).ladder.rungs] == ["small", "large"]
    assert reverted(slower, only_small, LADDER).ladder.rungs[0].lr == 0.001
    only_large = replace(LADDER, ladder=replace(LADDER.ladder, rungs=(LARGE,)))
    assert [rung.name for rung in reverted(only_large, LADDER, only_large).ladder.rungs] == ["small", "large"]


def test_parts_that_no_longer_fit_together_are_refused() -> None:
    before = replace(LADDER, ladder=Ladder(rungs=(replace(LARGE, network=ResNet(widths=(8,), depths=(1,))),)))
    after = replace(LADDER, ladder=Ladder(rungs=(replace(LARGE, network=ResNet(widths=(8, 16), depths=(1, 1))),)))
    longer = ResNet(widths=(8, 16), depths=(1, 0))
    now = replace(LADDER, ladder=Ladder(rungs=(replace(LARGE, network=longer),)))
    with pytest.raises(ValidationError):
        reverted(now, before, after)
