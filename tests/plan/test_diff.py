from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.plan.diff import Change, changes, diff
from fieldcraft.plan.schema import (
    Batch,
    Cnn,
    CoolDown,
    ImageInput,
    Imported,
    Initialisation,
    Ladder,
    Linear,
    Mlp,
    Plan,
    Rung,
    Sgd,
    SingleLabel,
)
from fieldcraft.plan.shape import leaves
from fieldcraft.tips.made_up import plans

SMALL = Rung(name="small", network=Mlp(widths=(64, 64)), steps=100, lr=0.01)
PLAN = Plan(task=SingleLabel(), input=ImageInput(height=28, width=28, channels=1), ladder=Ladder(rungs=(SMALL,)))


def with_rungs(*rungs: Rung) -> Plan:
    return replace(PLAN, ladder=Ladder(rungs=rungs))


@settings(deadline=None, max_examples=60)
@given(before=plans(), after=plans())
def test_empty_exactly_when_equal(before: Plan, after: Plan) -> None:
    assert diff(before, before) == ()
    assert (diff(before, after) == ()) == (before == after)


@settings(deadline=None, max_examples=60)
@given(before=plans(), after=plans())
def test_names_every_field_whose_value_changed(before: Plan, after: Plan) -> None:
    old, new = leaves(before), leaves(after)
    differing = {name for name in new if name not in old or old[name] != new[name]}
    assert differing <= set(diff(before, after)) <= {*old, *new, "ladder.rungs"}


def test_one_field() -> None:
    after = replace(PLAN, batch=Batch(size=64))
    assert changes(PLAN, after) == (Change("batch.size", 128, 64),)


def test_a_rung_goes_by_its_name() -> None:
    assert diff(PLAN, with_rungs(replace(SMALL, steps=5))) == ("ladder.rungs.small.steps",)


def test_a_new_rung_counts_with_all_its_fields() -> None:
    large = Rung(name="large", network=Linear(), steps=9, lr=0.1)
    names = ("name", "network.kind", "steps", "lr", "most_steps", "copy_of")
    assert diff(PLAN, with_rungs(SMALL, large)) == tuple(f"ladder.rungs.large.{name}" for name in names)
    assert diff(with_rungs(SMALL, large), PLAN) == tuple(f"ladder.rungs.large.{name}" for name in names)


def test_rungs_that_change_places_count() -> None:
    large = replace(SMALL, name="large")
    assert diff(with_rungs(SMALL, large), with_rungs(large, SMALL)) == ("ladder.rungs",)


def test_a_changed_kind_counts_all_fields_of_the_new_one() -> None:
    assert set(diff(PLAN, replace(PLAN, optimiser=Sgd(weight_decay=0.0)))) == {
        "optimiser.kind",
        "optimiser.momentum",
        "optimiser.nesterov",
        "optimiser.weight_decay",
        "optimiser.decay_norms_and_biases",
    }


def test_a_choice_that_is_called_kind_counts_alone() -> None:
    assert diff(PLAN, replace(PLAN, initialisation=Initialisation(kind="he"))) == ("initialisation.kind",)


def test_a_value_that_becomes_a_part() -> None:
    after = replace(PLAN, task=SingleLabel(metric=Imported(target="a:b")))
    assert diff(PLAN, after) == ("task.metric.kind", "task.metric.target")
    assert diff(after, PLAN) == ("task.metric",)


def test_a_cool_down_that_is_added() -> None:
    after = with_rungs(replace(SMALL, cool_downs=(CoolDown(at=3, end=4),)))
    assert diff(PLAN, after) == ("ladder.rungs.small.cool_downs.0.at", "ladder.rungs.small.cool_downs.0.end")


@settings(deadline=None, max_examples=20)
@given(kernel=st.integers(1, 31))
def test_inside_a_network(kernel: int) -> None:
    before = with_rungs(replace(SMALL, network=Cnn(kernel=3)))
    after = with_rungs(replace(SMALL, network=Cnn(kernel=kernel)))
    assert diff(before, after) == (("ladder.rungs.small.network.kernel",) if kernel != 3 else ())
