"""Tips about the rate's course that one-cycle leaves without a part, and what they do where it was replaced by hand."""

from dataclasses import replace

import pytest
from tests.tips.known_briefs import BREAST_CANCER, CIFAR10, KNOWN, OWN, applied, skipped, start, with_rungs

from fieldcraft.plan.schema import Constant, Cosine, OneCycle, Patience, Plateau, Restarts, Step
from fieldcraft.tips import cosine, early_stop, plateau, step_decay, warm_restarts, warm_up

ALONE = {
    cosine.TIP: Cosine(end=0.25),
    step_decay.TIP: Step(factor=0.25),
    warm_restarts.TIP: Restarts(cycles=2, growth=3.0),
    plateau.TIP: Plateau(),
}
NUMBER = {"cosine": "0.25", "step-decay": "0.25", "warm-restarts": "75%", "plateau": "4,500"}


def plan(schedule, known=CIFAR10):
    return replace(with_rungs(start(known), OWN), schedule=schedule)


@pytest.mark.parametrize("tip", ALONE, ids=lambda tip: tip.name)
def test_one_cycle_stays_and_the_reason_is_given(tip):
    for known in KNOWN.values():
        assert "already" not in skipped(tip, known, plan(OneCycle(), known))


@pytest.mark.parametrize(("tip", "schedule"), ALONE.items(), ids=lambda one: getattr(one, "name", ""))
def test_one_that_is_there_is_described_in_numbers(tip, schedule):
    because = skipped(tip, CIFAR10, plan(schedule))
    assert "already" in because
    assert NUMBER[tip.name] in because


@pytest.mark.parametrize("schedule", [Cosine(), Step(), Restarts(), Plateau()], ids=lambda one: one.kind)
def test_what_begins_at_the_peak_gets_a_way_up(schedule):
    assert applied(warm_up.TIP, CIFAR10, plan(schedule)).schedule == replace(schedule, warm_up=warm_up.SHARE)


@pytest.mark.parametrize("schedule", [OneCycle(), Constant()], ids=lambda one: one.kind)
def test_what_has_a_way_up_or_no_place_for_it_is_left_alone(schedule):
    skipped(warm_up.TIP, CIFAR10, plan(schedule))


@pytest.mark.parametrize("schedule", [OneCycle(), Cosine(), Step(), Restarts()], ids=lambda one: one.kind)
def test_schedules_that_settle_at_the_end_are_not_stopped(schedule):
    assert schedule.kind in skipped(early_stop.TIP, CIFAR10, plan(schedule))


def test_schedules_without_an_end_are_stopped():
    assert applied(early_stop.TIP, CIFAR10, plan(Constant())).stopping == Patience(looks=early_stop.LOOKS)
    patient = applied(early_stop.TIP, BREAST_CANCER, plan(Plateau(patience=3), BREAST_CANCER)).stopping
    assert patient == Patience(looks=7)


@pytest.mark.parametrize("tip", [warm_up.TIP, early_stop.TIP], ids=lambda tip: tip.name)
def test_they_stay_out_of_an_empty_ladder(tip):
    skipped(tip, CIFAR10, start(CIFAR10))
