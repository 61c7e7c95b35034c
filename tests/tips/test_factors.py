import pytest

from fieldcraft.errors import PlanError
from fieldcraft.records.decision import Decision
from fieldcraft.tips import ALL
from fieldcraft.tips.factors import factors

DECISIONS = (
    Decision(tip="optimiser", outcome="applied", because="sgd", sets=("optimiser.kind",)),
    Decision(tip="class-imbalance", outcome="skipped", because="even classes"),
    Decision(tip="label-smoothing", outcome="applied", because="ten classes", sets=("task.loss.label_smoothing",)),
    Decision(tip="depth-and-strides", outcome="applied", because="as it was"),
    Decision(tip="dropout", outcome="left-out", because="left out on request"),
    Decision(tip="by hand", outcome="applied", because="--set", sets=("seed",)),
)


def test_tips_that_changed_the_plan_are_factors_and_the_others_say_why_not() -> None:
    found = factors(DECISIONS, ALL)
    assert found.names == found.base == ("optimiser", "label-smoothing")
    assert found.not_tested == {
        "class-imbalance": "even classes",
        "depth-and-strides": "it changed nothing that was not so already: as it was",
        "dropout": "left out on request",
    }


def test_named_tips_and_changes_by_hand_come_in_the_order_in_which_tips_decide() -> None:
    found = factors(DECISIONS, ALL, ("input.augment.mixup=0.2", "dropout", "label-smoothing"))
    assert found.names == ("label-smoothing", "dropout", "input.augment.mixup=0.2")
    assert found.base == ("label-smoothing",)
    assert found.not_tested["optimiser"] == "it was not asked for"
    assert found.off(("label-smoothing",)) == {"dropout"}
    assert found.changes(("input.augment.mixup=0.2",)) == ("input.augment.mixup=0.2",)


def test_what_is_dropped_is_not_tested() -> None:
    found = factors(DECISIONS, ALL).without({"optimiser": "no plan"})
    assert (found.names, found.base, found.not_tested["optimiser"]) == (
        ("label-smoothing",),
        ("label-smoothing",),
        "no plan",
    )


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (("optimiser", "optimiser"), "names optimiser twice"),
        (("optimizer",), r"no tip is called optimizer; did you mean `optimiser`\?"),
        (("class-imbalance",), r"decides nothing here.*even classes.*FIELD=VALUE"),
        (("input.augment.mixxup=0.2",), r"did you mean `input.augment.mixup`"),
        (("dilation",), "only looks at networks"),
    ],
)
def test_what_cannot_be_tested_is_said_in_one_message(wanted: tuple[str, ...], told: str) -> None:
    with pytest.raises(PlanError, match=told):
        factors(DECISIONS, ALL, wanted)
