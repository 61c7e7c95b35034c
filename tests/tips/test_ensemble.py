from dataclasses import replace

import pytest
from tests.tips.known_briefs import (
    CIFAR10,
    DIABETES,
    DIGITS,
    OWN,
    applied,
    settle,
    skipped,
    start,
    with_budget,
    with_rungs,
)
from tests.tips.known_masks import HIPPOCAMPUS, start_masks

from fieldcraft.plan.masks import DeepMedic, UNet
from fieldcraft.plan.schema import Batch, Cnn, Mlp, Plan, Prediction, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.ensemble import MASK_PASSES, MASK_STEPS, MOST, MOST_OF_MASKS, MOST_PASSES, TIP
from fieldcraft.tips.epochs import OVERHEAD, cap
from fieldcraft.tips.interface import Ask, Skipped
from fieldcraft.tips.rough import training_seconds


def with_steps(plan: Plan, *steps: int) -> Plan:
    rungs = tuple(replace(rung, steps=count) for rung, count in zip(plan.ladder.rungs, steps, strict=True))
    return replace(plan, ladder=replace(plan.ladder, rungs=rungs))


PLAN = with_steps(replace(with_rungs(start(DIGITS), Cnn(), ResNet()), batch=Batch(size=32)), 3_900, 3_900)
UNET = UNet(widths=(8, 16), depths=(1, 1), kernels=((3, 3, 3),) * 2, strides=((2, 2, 2),))
USEFUL = round(MOST_PASSES * cap(1_221) * 1_221 / 32)
"""Steps that each of several networks makes at least."""


def milliseconds(networks: float) -> float:
    """A step that leaves time for so many networks besides the small one, on digits in a minute."""
    there_s = training_seconds(DIGITS, 60.0)
    return 1000 * there_s / (OVERHEAD * (3_900 + networks * USEFUL))


def ladder(known, plan, step_ms):
    return applied(TIP, known, plan, lambda _: step_ms).ladder


def test_every_network_is_timed_first():
    decision = TIP.decide(DIGITS, PLAN)
    assert isinstance(decision, Ask)
    assert [question.rung for question in decision.measurements] == [0, 1]


@pytest.mark.parametrize(("room", "networks"), [(1.9, 1), (2.1, 2), (4.2, 4), (50.0, MOST)])
def test_there_are_as_many_networks_as_there_is_time_for(room, networks):
    found = ladder(DIGITS, PLAN, milliseconds(room))
    assert found.ensemble == "if-better"
    assert [rung.name for rung in found.rungs] == ["rung-0", "rung-1", *(f"rung-1-{n}" for n in range(2, networks + 1))]
    assert [rung.copy_of for rung in found.rungs[2:]] == ["rung-1"] * (networks - 1)
    assert {rung.network for rung in found.rungs[1:]} == {ResNet()}


def test_they_share_the_time_and_none_makes_more_steps_than_before():
    step_ms = milliseconds(2.5)
    found = ladder(DIGITS, PLAN, step_ms)
    steps = [rung.steps for rung in found.rungs]
    assert steps[0] == 3_900
    assert steps[1] == steps[2] <= 3_900
    assert OVERHEAD * step_ms / 1000 * sum(steps) <= training_seconds(DIGITS, 60.0)
    assert {rung.steps for rung in ladder(DIGITS, PLAN, milliseconds(50.0)).rungs} == {3_900}


def test_candidates_that_are_there_anyway_are_averaged_where_time_is_short():
    found = ladder(CIFAR10, with_rungs(start(CIFAR10), Cnn(), ResNet()), 90.0)
    assert found.ensemble == "if-better"
    assert len(found.rungs) == 2


def test_tables_without_a_limit_average_what_there_is():
    plan = with_rungs(start(DIABETES), Mlp())
    decision, _ = settle(TIP, with_budget(DIABETES, None), plan)
    assert "3 candidates" in decision.because  # the network, boosting, a linear model; not the mean
    assert len(decision.plan.ladder.rungs) == 1


def test_a_candidate_alone_is_nothing_to_average():
    plan = with_rungs(start(CIFAR10), ResNet())
    alone = with_steps(replace(plan, ladder=replace(plan.ladder, baselines=("majority",))), 500)
    decision, _ = settle(TIP, CIFAR10, alone, lambda _: 500.0)
    assert isinstance(decision, Skipped)
    assert "nothing" in decision.because


@pytest.mark.parametrize("limit", [Prediction(limit_macs=10**6), Prediction(limit_ms=1.0)])
def test_a_limit_on_predictions_keeps_one_model(limit):
    assert "limited" in skipped(TIP, DIGITS, replace(PLAN, prediction=limit))


def test_few_validation_samples_choose_no_weights():
    few = Brief(facts=replace(DIGITS.facts, data=replace(DIGITS.facts.data, validation=19)))
    assert "19 validation samples" in skipped(TIP, few, PLAN)


def test_ones_own_network_is_not_repeated():
    found = ladder(DIGITS, with_rungs(start(DIGITS), OWN), 0.01)
    assert (found.ensemble, [rung.network for rung in found.rungs]) == ("if-better", [OWN])


def test_repetitions_that_are_there_stay():
    once = applied(TIP, DIGITS, PLAN, lambda _: milliseconds(3.2))
    assert applied(TIP, DIGITS, once, lambda _: 0.001) == once


def test_many_cases_need_more_steps():
    plan = with_steps(with_rungs(start_masks(HIPPOCAMPUS), UNET), 25_000)
    one_a_step = replace(plan, batch=Batch(size=1))  # a patch is a whole case: 160 steps are a pass
    found = ladder(with_budget(HIPPOCAMPUS, 900.0), one_a_step, 20.0).rungs
    assert len(found) == 2
    assert found[0].steps >= 160 * MASK_PASSES


def test_a_network_of_two_pathways_is_tried_beside_the_one_that_is_repeated():
    rungs = with_rungs(start_masks(HIPPOCAMPUS), UNET, DeepMedic())
    found = ladder(with_budget(HIPPOCAMPUS, 900.0), with_steps(rungs, 2_000, 500), 0.1)
    assert [rung.copy_of for rung in found.rungs] == ["", "", *["rung-0"] * (MOST_OF_MASKS - 1)]


def test_of_masks_each_makes_the_steps_that_teach_something():
    plan = with_steps(with_rungs(start_masks(HIPPOCAMPUS), UNET), 25_000)
    long = with_budget(HIPPOCAMPUS, 900.0)
    each_s = OVERHEAD * MASK_STEPS / 1000
    there_s = training_seconds(long, 900.0)
    found = ladder(long, plan, there_s / (3.5 * each_s))
    assert [rung.steps for rung in found.rungs] == [pytest.approx(3.5 / 3 * MASK_STEPS, abs=1)] * 3
    fast = ladder(long, plan, 0.1).rungs
    assert [rung.steps for rung in fast] == [2 * MASK_STEPS] * MOST_OF_MASKS
    decision, _ = settle(TIP, long, with_steps(plan, 700), lambda _: there_s / (1.5 * each_s))
    assert isinstance(decision, Skipped)
