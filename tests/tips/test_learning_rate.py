from dataclasses import replace

import pytest
from tests.tips.known_briefs import CIFAR10, OWN, found, skipped, start, with_budget, with_rungs

from fieldcraft.plan.schema import Cnn
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Ask, RateRange, Skipped
from fieldcraft.tips.learning_rate import LEAST_S, TIP

PLAN = with_rungs(start(CIFAR10), Cnn(), OWN)
QUESTION = RateRange(plan=PLAN, rung=1)


def told(*numbers: float) -> Brief:
    answers = dict(zip((QUESTION.key, QUESTION.low, QUESTION.high), map(found, numbers), strict=False))
    return Brief(facts=replace(CIFAR10.facts, measured=answers))


def test_only_ones_own_networks_are_measured():
    asked = TIP.decide(CIFAR10, PLAN)
    assert isinstance(asked, Ask)
    assert asked.measurements == (QUESTION,)
    skipped(TIP, CIFAR10, with_rungs(start(CIFAR10), Cnn()))
    skipped(TIP, CIFAR10, with_rungs(start(CIFAR10), OWN, OWN, OWN))


def test_short_budgets_train_instead():
    assert f"less than {LEAST_S:.0f} s" in skipped(TIP, with_budget(CIFAR10, LEAST_S - 1), PLAN)
    assert isinstance(TIP.decide(with_budget(CIFAR10, None), PLAN), Ask)


@pytest.mark.parametrize(("low", "high"), [(0.004, 0.02), (1e-5, 5e-4)])
def test_a_rate_outside_the_interval_is_replaced(low, high):
    decision = TIP.decide(told((low * high) ** 0.5, low, high), PLAN)
    assert isinstance(decision, Applied)
    small, own = decision.plan.ladder.rungs
    assert small == PLAN.ladder.rungs[0]
    assert own.lr == pytest.approx((low * high) ** 0.5, rel=0.01)
    assert "instead of 0.001" in decision.because


def test_a_rate_inside_it_stays_and_so_it_does_without_an_answer():
    agrees = TIP.decide(told(0.002, 0.0005, 0.008), PLAN)
    assert isinstance(agrees, Skipped)
    assert "agrees with 0.001" in agrees.because
    none = TIP.decide(told(float("inf")), PLAN)
    assert isinstance(none, Skipped)
    assert "no answer" in none.because


def test_the_question_is_the_same_whatever_rate_the_rung_has():
    rungs = tuple(replace(rung, lr=0.5, steps=77) for rung in PLAN.ladder.rungs)
    again = RateRange(plan=replace(PLAN, ladder=replace(PLAN.ladder, rungs=rungs)), rung=1)
    assert again.key == QUESTION.key
    assert RateRange(plan=PLAN, rung=0).key != QUESTION.key
