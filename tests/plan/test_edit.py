import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.errors import PlanError
from fieldcraft.plan.diff import diff
from fieldcraft.plan.edit import check_names, edit, parse
from fieldcraft.plan.schema import (
    AdamW,
    CoolDown,
    Huber,
    ImageInput,
    Imported,
    Ladder,
    Mlp,
    Plan,
    Regression,
    ResNet,
    Rung,
    Sgd,
    SingleLabel,
    SquaredError,
)
from fieldcraft.plan.shape import leaves
from fieldcraft.tips.made_up import plans

SMALL = Rung(name="small", network=Mlp(widths=(64, 64)), steps=100, lr=0.01)
LARGE = Rung(name="large", network=ResNet(), steps=300, lr=0.1)
PLAN = Plan(task=SingleLabel(), input=ImageInput(height=28, width=28, channels=1), ladder=Ladder(rungs=(SMALL, LARGE)))


def written(value: Any) -> str:
    """As on a command line: text bare, but in quotes where TOML would read it as something else."""
    if value is None:
        return "none"
    bare = isinstance(value, str) and parse(f"field={value}")[1] == value
    return value if bare else json.dumps(value)


@settings(deadline=None, max_examples=60)
@given(plan=plans(), data=st.data())
def test_setting_a_field_to_what_it_is_changes_nothing(plan: Plan, data: st.DataObject) -> None:
    fields = {
        name: value for name, value in leaves(plan).items() if ".cool_downs." not in name and ".retimings." not in name
    }
    name = data.draw(st.sampled_from(sorted(fields)))
    assert edit(plan, [f"{name}={written(fields[name])}"]) == plan


def test_steps_that_are_set_by_hand_are_not_stretched() -> None:
    """Unless that is set as well, in whatever order; other rungs keep theirs."""
    rungs = tuple(replace(rung, most_steps=900) for rung in (SMALL, LARGE))
    plan = replace(PLAN, ladder=Ladder(rungs=rungs))

    def most(*edits: str) -> list[int]:
        return [rung.most_steps for rung in edit(plan, edits).ladder.rungs]

    assert most("ladder.rungs.small.steps=50") == most("ladder.rungs.0.steps=50") == [0, 900]
    assert most("ladder.rungs.small.steps=100") == most("ladder.rungs.small.lr=0.5") == [900, 900]
    assert most("ladder.rungs.large.most_steps=400", "ladder.rungs.large.steps=50") == [900, 400]


@settings(deadline=None, max_examples=40)
@given(plan=plans())
def test_edits_can_undo_any_change_of_plain_fields(plan: Plan) -> None:
    shared = [name for name in diff(plan, PLAN) if name.split(".")[0] in ("seed", "batch", "execution", "averaging")]
    there = leaves(PLAN)
    back = edit(plan, [f"{name}={written(there[name])}" for name in shared])
    assert (back.seed, back.batch, back.execution, back.averaging) == (
        PLAN.seed,
        PLAN.batch,
        PLAN.execution,
        PLAN.averaging,
    )


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("batch.size=64", "batch.size", 64),
        (" batch.size = 64 ", "batch.size", 64),
        ("batch.micro=8", "batch.micro", 8),
        ("averaging.decay=0.5", "averaging.decay", 0.5),
        ("ladder.rungs.small.lr=1", "ladder.rungs.small.lr", 1.0),
        ("task.metric=log-loss", "task.metric", "log-loss"),
        ('task.metric="log-loss"', "task.metric", "log-loss"),
        ("execution.compile=true", "execution.compile", True),
        ("ladder.rungs.large.steps=7", "ladder.rungs.large.steps", 7),
        ("ladder.rungs.1.steps=7", "ladder.rungs.large.steps", 7),
        ("ladder.rungs.small.network.widths=[8]", "ladder.rungs.small.network.widths", (8,)),
        ('input.augment.own=["a.b:c"]', "input.augment.own", ("a.b:c",)),
        ('ladder.baselines=["linear"]', "ladder.baselines", ("linear",)),
    ],
)
def test_one_field_and_nothing_else(text: str, field: str, value: object) -> None:
    after = edit(PLAN, [text])
    assert leaves(after)[field] == value
    assert diff(PLAN, after) == (field,)


def test_none_empties_a_field() -> None:
    assert edit(edit(PLAN, ["batch.micro=4"]), ["batch.micro=none"]) == PLAN


def test_a_change_of_kind_keeps_what_fits() -> None:
    before = replace(PLAN, optimiser=AdamW(weight_decay=0.1, decay_norms_and_biases=False))
    assert edit(before, ["optimiser.kind=sgd"]).optimiser == Sgd(weight_decay=0.1, decay_norms_and_biases=False)


def test_a_kind_and_its_fields_in_any_order() -> None:
    for order in (["optimiser.kind=sgd", "optimiser.momentum=0.5"], ["optimiser.momentum=0.5", "optimiser.kind=sgd"]):
        assert edit(PLAN, order).optimiser == Sgd(momentum=0.5)


def test_another_task_takes_its_own_loss_and_metric() -> None:
    assert edit(PLAN, ["task.kind=regression"]).task == Regression()
    assert edit(PLAN, ["task.kind=regression", "task.loss.kind=huber"]).task == Regression(loss=Huber())
    assert Regression().loss == SquaredError()


def test_a_metric_of_ones_own() -> None:
    after = edit(PLAN, ["task.metric.kind=import", "task.metric.target=my.parts:score"])
    assert after.task.metric == Imported(target="my.parts:score")


def test_whole_tables() -> None:
    after = edit(PLAN, ['optimiser={kind="sgd", momentum=0.1}', "ladder.rungs.small.cool_downs=[{at=3,end=9}]"])
    assert after.optimiser == Sgd(momentum=0.1)
    assert after.ladder.rungs[0].cool_downs == (CoolDown(at=3, end=9),)


def test_lists_that_belong_together_are_set_together() -> None:
    both = ["ladder.rungs.large.network.widths=[8, 16]", "ladder.rungs.large.network.depths=[0, 1]"]
    assert edit(PLAN, both).ladder.rungs[1].network == ResNet(widths=(8, 16), depths=(0, 1))
    with pytest.raises(PlanError, match="as many numbers as"):
        edit(PLAN, both[:1])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("optimizer.kind=sgd", "`optimizer` is not a field; did you mean `optimiser`? Fields at the top: seed, task"),
        ("batch.sise=1", "`batch.sise` is not a field; did you mean `size`? Fields here: size, micro, sampling."),
        ("batch.size=0", "`batch.size` must be a whole number, at least 1, got 0."),
        ("batch.size=true", "got true."),
        ("batch.size.x=1", "`batch.size` must be a whole number"),
        ("batch.size=[1", 'got "[1".'),
        ("batch.size=1\nseed=2", "`batch.size` must be a whole number"),
        ("optimiser.weight_decay=2", "must be a number from 0 to 1, got 2."),
        ("optimiser.kind=sdg", 'must be one of "sgd", "adamw", "rmsprop", got "sdg"; did you mean `sgd`?'),
        ("optimiser.kind=[1]", "got [1]."),
        ("optimiser=sgd", '`optimiser` must be a table with `kind` one of "sgd", "adamw", "rmsprop", got "sgd".'),
        ("task.metric.kind=import", "`task.metric` must have `target`: text such as package.module:name."),
        ("ladder.rungs.smal.steps=3", "nothing is called `smal` here (there are small, large); did you mean `small`?"),
        ("ladder.rungs.2.steps=3", "there are small, large"),
        ("ladder.rungs.small.name=large", "every rung needs its own name"),
        ("ladder.rungs=3", "`ladder.rungs` must be a list of tables, got 3."),
        ("ladder.rungs.large.network.widths=[]", "must be a list of 1 or more, each a whole number from 1 to 65536"),
        ("seed", "--set takes field=value"),
        ("=1", "--set takes field=value"),
        ("a..b=1", "--set takes field=value"),
    ],
)
def test_a_wrong_edit_says_what_is_right(text: str, says: str) -> None:
    with pytest.raises(PlanError) as error:
        edit(PLAN, ["seed=3", text])
    assert says in str(error.value)
    assert text.strip() in str(error.value) or "field=value" in says


@settings(deadline=None, max_examples=40)
@given(plan=plans())
def test_every_name_of_every_plan_is_known(plan: Plan) -> None:
    check_names([f"{name}=1" for name in leaves(plan)])


def test_names_are_checked_before_there_is_a_plan_that_has_them() -> None:
    check_names(["ladder.rungs.any.network.kernel=5", "optimiser.momentum=1", "task={}"])
    with pytest.raises(
        PlanError, match=r"`optimiser\.lr`; did you mean `ladder\.rungs\.NAME\.lr`\? Fields there: alpha, beta1"
    ):
        check_names(["optimiser.lr=1"])
    with pytest.raises(PlanError, match=r"did you mean `ladder\.rungs\.NAME\.steps`\?"):
        check_names(["ladder.rungs.any.stepz=1"])
