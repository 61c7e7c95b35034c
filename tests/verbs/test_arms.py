"""Arms are arithmetic on plans: these are its identities, over the tips as they are."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import PlanError
from fieldcraft.plan.diff import diff
from fieldcraft.plan.schema import CrossEntropy, ImageInput, Plan, SingleLabel
from fieldcraft.records.fact import Fact
from fieldcraft.tips import ALL, epochs
from fieldcraft.tips.epochs import OVERHEAD
from fieldcraft.tips.factors import Factors, factors
from fieldcraft.tips.interface import Measurement
from fieldcraft.verbs.arms import Arms, Drafting, toggled
from fieldcraft.verbs.prepare import known, prepare

TRIAL_S, STEP_MS = 20.0, 10.0


class Answers:
    """Every step takes the same; keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, questions: tuple[Measurement, ...]) -> Mapping[str, Fact[float]]:
        self.asked += [one.key for one in questions]
        return {one.key: Fact(value=STEP_MS, method="made up", sample="made up") for one in questions}


@pytest.fixture(scope="module")
def drafting() -> Drafting:
    prepared = prepare("digits", ReadOptions(), seed=0)
    facts = known(prepared, None)
    one_core = replace(facts, machine=replace(facts.machine, cores=1, gpu=None, gpu_memory_mib=0))
    return Drafting(
        prepared=prepared, facts=one_core, tips=ALL, edits=(), left_out=frozenset(), measure=Answers(),
        steps=epochs.TIP, trial_s=TRIAL_S,
    )  # fmt: skip


@pytest.fixture(scope="module")
def found(drafting: Drafting) -> Factors:
    return factors(drafting.base().decisions, ALL)


def arms(drafting: Drafting, effect: str, equal: str = "minutes") -> Arms:
    return Arms.of(drafting, "direct" if effect == "direct" else "total", equal_steps=equal == "steps")


@pytest.mark.parametrize("effect", ["total", "direct"])
def test_with_everything_on_the_arm_is_the_plan_as_it_stands(drafting: Drafting, found: Factors, effect: str) -> None:
    made = arms(drafting, effect)
    assert made.plan(found, found.base) == made.base
    off = [name for name in found.base if name != "label-smoothing"]
    # Also where it is made from its factors rather than looked up.
    back = (
        made.drafting.total(found, found.base, made.base) if effect == "total" else drafting.direct(found, found.base)
    )
    assert back == drafting.base().plan
    assert made.plan(found, off) != made.base


def test_a_trial_has_one_network_and_as_many_steps_as_fit(drafting: Drafting) -> None:
    base = arms(drafting, "total").base
    assert not base.ladder.baselines
    assert [rung.steps for rung in base.ladder.rungs] == [int(1000 * TRIAL_S / (OVERHEAD * STEP_MS))]


@pytest.mark.parametrize("effect", ["total", "direct"])
def test_without_label_smoothing_only_the_share_is_another(drafting: Drafting, found: Factors, effect: str) -> None:
    made = arms(drafting, effect)
    plan = made.plan(found, toggled(found, "label-smoothing"))
    assert diff(made.base, plan) == ("task.loss.label_smoothing",)


def test_a_direct_effect_pins_everything_that_a_tip_did_not_set(drafting: Drafting, found: Factors) -> None:
    made = arms(drafting, "direct")
    sets = {one.tip: one.sets for one in drafting.base().decisions}
    for name in made.tested(found).names:
        for field in diff(made.base, made.plan(found, toggled(found, name))):
            where = field.rpartition(".")[0]
            assert field in sets[name] or f"{where}.kind" in sets[name], f"{name} did not set {field}"


def test_in_a_total_effect_the_others_decide_again(drafting: Drafting, found: Factors) -> None:
    made = arms(drafting, "total")
    without = made.plan(found, toggled(found, "batch-size"))
    assert "ladder.rungs.large.lr" in diff(made.base, without)
    assert "ladder.rungs.large.lr" not in diff(
        made.base, arms(drafting, "direct").plan(found, toggled(found, "batch-size"))
    )


def test_machine_settings_stay_unless_they_are_what_is_tested(drafting: Drafting, found: Factors) -> None:
    made = arms(drafting, "total")
    for name in ("label-smoothing", "optimiser", "norm"):
        assert made.plan(found, toggled(found, name)).execution == made.base.execution
    assert not made.plan(found, toggled(found, "denormals")).execution.flush_denormals


def test_at_equal_steps_all_arms_take_those_of_the_plan(drafting: Drafting, found: Factors) -> None:
    made = arms(drafting, "total", "steps")
    for name in ("optimiser", "norm", "batch-size"):
        assert made.plan(found, toggled(found, name)).ladder.rungs[0].steps == made.base.ladder.rungs[0].steps


def test_what_was_measured_once_is_not_measured_again(drafting: Drafting, found: Factors) -> None:
    made = arms(drafting, "total")
    made.plan(found, toggled(found, "norm"))
    assert isinstance(drafting.measure, Answers)
    before = len(drafting.measure.asked)
    drafting.drafts.clear()
    made.plan(found, toggled(found, "norm"))
    assert len(drafting.measure.asked) == before


def test_an_arm_without_a_plan_says_why(drafting: Drafting, found: Factors) -> None:
    made = arms(drafting, "total")
    planned = made.planned(found, toggled(found, "architecture"))
    assert planned.plan == planned.error == "it has no network to train"
    dropped = made.tested(found)
    assert "architecture" not in dropped.names
    assert "no network to train" in dropped.not_tested["architecture"]
    assert "changes nothing" in dropped.not_tested["epochs"]


def test_a_change_by_hand_is_tried_in_addition(drafting: Drafting) -> None:
    wanted = factors(drafting.base().decisions, ALL, ("label-smoothing", "input.augment.mixup=0.2"))
    for effect in ("total", "direct"):
        made = arms(drafting, effect)
        plan = made.plan(wanted, toggled(wanted, "input.augment.mixup=0.2"))
        assert isinstance(plan.input, ImageInput)
        assert plan.input.augment.mixup == 0.2
        assert plan.task == made.base.task


def test_a_tip_that_was_left_out_can_be_put_in_but_not_directly(drafting: Drafting) -> None:
    out = replace(drafting, left_out=frozenset({"label-smoothing"}), drafts={})
    wanted = factors(out.base().decisions, ALL, ("label-smoothing",))
    plan = arms(out, "total").plan(wanted, ("label-smoothing",))
    assert isinstance(plan.task, SingleLabel)
    assert isinstance(plan.task.loss, CrossEntropy)
    assert plan.task.loss.label_smoothing > 0
    with pytest.raises(PlanError, match="only its total effect"):
        arms(out, "direct").plan(wanted, ("label-smoothing",))


def test_half_on_arms_are_plans_or_say_why_not(drafting: Drafting, found: Factors) -> None:
    made = arms(drafting, "total")
    for start in (0, 1):
        planned = made.planned(found, found.names[start::2])
        assert isinstance(planned.plan, Plan) == (not planned.error)
