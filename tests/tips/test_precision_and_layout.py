from dataclasses import replace
from math import inf

import pytest
from tests.tips.known_briefs import (
    BREAST_CANCER,
    CIFAR10,
    OWN,
    answered,
    applied,
    skipped,
    start,
    with_machine,
    with_rungs,
)
from tests.tips.known_masks import ENCODED, MEMBRANES, start_masks

from fieldcraft.plan.schema import Batch, Cnn, Mlp, ResNet, UNet
from fieldcraft.tips.interface import Ask, StepTime
from fieldcraft.tips.precision_and_layout import LEAST_GAIN, TIP

PLAN = with_rungs(start(CIFAR10), Cnn(), ResNet())


def chosen(times, known=CIFAR10, plan=PLAN):
    """`times`: milliseconds by precision and layout."""
    execution = applied(TIP, known, plan, lambda question: times[setting(question)]).execution
    return f"{execution.precision} {'nhwc' if execution.channels_last else 'nchw'}"


def setting(question: StepTime) -> str:
    execution = question.plan.execution
    return f"{execution.precision} {'nhwc' if execution.channels_last else 'nchw'}"


def asked(known, plan):
    decision = TIP.decide(known, plan)
    assert isinstance(decision, Ask)
    return decision.measurements


def test_all_four_are_asked_for_together_on_the_largest_network():
    questions = asked(CIFAR10, PLAN)
    assert [setting(question) for question in questions] == ["fp32 nchw", "bf16 nhwc", "bf16 nchw", "fp32 nhwc"]
    assert {question.plan.ladder.rungs[question.rung].name for question in questions} == {"rung-1"}


def test_with_one_answer_missing_all_are_asked_for_again():
    first = TIP.decide(CIFAR10, PLAN)
    some = answered(CIFAR10, Ask(measurements=first.measurements[:3]), lambda _: 1.0)
    assert TIP.decide(some, PLAN) == first


def test_without_bf16_units_only_layouts_are_compared():
    known = with_machine(CIFAR10, bf16=False)
    assert [setting(question) for question in asked(known, PLAN)] == ["fp32 nchw", "fp32 nhwc"]


def test_ones_own_network_keeps_its_layout():
    plan = with_rungs(start(CIFAR10), OWN)
    assert [setting(question) for question in asked(CIFAR10, plan)] == ["fp32 nchw", "bf16 nchw"]
    skipped(TIP, with_machine(CIFAR10, bf16=False), plan)


def test_an_encoder_that_is_taken_over_is_timed_like_the_network_below_it():
    below = UNet(kernels=((3, 3),) * 3, strides=((2, 2),) * 2)
    for networks in ([below], [below, ENCODED], [ENCODED]):
        questions = asked(MEMBRANES, with_rungs(start_masks(MEMBRANES), *networks))
        assert [setting(question) for question in questions] == ["fp32 nchw", "bf16 nhwc", "bf16 nchw", "fp32 nhwc"]


ALL_SLOW = {"fp32 nchw": 100.0, "fp32 nhwc": 100.0, "bf16 nchw": 100.0, "bf16 nhwc": 100.0}


@pytest.mark.parametrize(
    ("times", "fastest"),
    [
        ({}, "fp32 nchw"),
        ({"bf16 nhwc": 30.0, "bf16 nchw": 40.0, "fp32 nhwc": 80.0}, "bf16 nhwc"),
        ({"bf16 nchw": 30.0, "bf16 nhwc": 40.0}, "bf16 nchw"),
        ({"fp32 nhwc": 100 * (1 - LEAST_GAIN)}, "fp32 nhwc"),
        ({"fp32 nhwc": 100 * (1 - LEAST_GAIN) + 0.1}, "fp32 nchw"),
        ({"fp32 nhwc": 50.0, "bf16 nhwc": 48.0}, "fp32 nhwc"),
        ({"fp32 nhwc": 50.0, "bf16 nhwc": 47.0}, "bf16 nhwc"),
    ],
)
def test_the_plainest_wins_unless_another_saves_a_twentieth(times, fastest):
    assert chosen(ALL_SLOW | times) == fastest


@pytest.mark.parametrize(
    ("times", "fastest"),
    [
        (dict.fromkeys(ALL_SLOW, inf), "fp32 nchw"),
        ({"bf16 nchw": inf, "bf16 nhwc": inf}, "fp32 nchw"),
        ({"fp32 nchw": inf, "fp32 nhwc": inf}, "bf16 nchw"),
    ],
)
def test_what_could_not_be_timed_is_not_chosen(times, fastest):
    assert chosen(ALL_SLOW | times) == fastest


def test_the_choice_does_not_hang_on_what_was_set_before():
    other = replace(PLAN, execution=replace(PLAN.execution, precision="bf16", channels_last=True))
    assert asked(CIFAR10, other) == asked(CIFAR10, PLAN)


def test_small_steps_are_not_timed():
    plan = replace(with_rungs(start(BREAST_CANCER), Mlp(widths=(64,))), batch=Batch(size=32))
    skipped(TIP, BREAST_CANCER, plan)
    wide = replace(with_rungs(start(BREAST_CANCER), Mlp(widths=(2048, 2048))), batch=Batch(size=32))
    assert [setting(question) for question in asked(BREAST_CANCER, wide)] == ["fp32 nchw", "bf16 nchw"]


def test_it_stays_out_of_an_empty_ladder():
    skipped(TIP, CIFAR10, start(CIFAR10))
