from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tips.known_briefs import CIFAR10, DIGITS, answered, applied, skipped, start, with_budget, with_rungs

from fieldcraft.plan.schema import Batch, Cnn, CoolDown, ResNet
from fieldcraft.tips.epochs import LEAST_EPOCHS, OVERHEAD, SMALL_SHARE, TIP, cap, share_out
from fieldcraft.tips.interface import Ask
from fieldcraft.tips.rough import step_seconds, training_seconds

PLAN = replace(with_rungs(start(CIFAR10), Cnn(), ResNet()), batch=Batch(size=128))
AN_EPOCH = 71  # 9,000 samples in steps of 128


def steps(known, milliseconds, plan=PLAN):
    rungs = applied(TIP, known, plan, lambda question: milliseconds[question.rung]).ladder.rungs
    return [rung.steps for rung in rungs]


def test_every_rung_is_asked_for():
    decision = TIP.decide(CIFAR10, PLAN)
    assert isinstance(decision, Ask)
    assert [question.rung for question in decision.measurements] == [0, 1]
    some = answered(CIFAR10, Ask(measurements=decision.measurements[:1]), lambda _: 1.0)
    assert TIP.decide(some, PLAN) == decision


def test_the_time_is_shared_out_and_used_up():
    small, large = steps(CIFAR10, [20.0, 90.0])
    seconds = training_seconds(CIFAR10, 180.0)
    assert OVERHEAD * 0.020 * small == pytest.approx(SMALL_SHARE * seconds, abs=0.03)
    assert OVERHEAD * (0.020 * small + 0.090 * large) == pytest.approx(seconds, abs=0.2)


def test_what_the_small_network_cannot_use_the_large_one_gets():
    small, large = steps(CIFAR10, [0.1, 90.0])
    assert small == cap(9_000) * AN_EPOCH
    assert OVERHEAD * (0.0001 * small + 0.090 * large) == pytest.approx(training_seconds(CIFAR10, 180.0), abs=0.2)


@pytest.mark.parametrize(("train", "most"), [(999, 200), (1_000, 100), (19_999, 100), (20_000, 60)])
def test_caps(train, most):
    assert cap(train) == most


def test_a_fast_machine_stops_at_the_cap():
    assert steps(DIGITS, [0.01, 0.01], replace(PLAN, batch=Batch(size=32))) == [100 * 39, 100 * 39]


def test_a_network_that_is_too_slow_is_left_out():
    slow = 1000 * training_seconds(CIFAR10, 180.0) * (1 - SMALL_SHARE) / (OVERHEAD * LEAST_EPOCHS * AN_EPOCH)
    assert len(steps(CIFAR10, [20.0, 0.98 * slow])) == 2
    (small,) = steps(CIFAR10, [20.0, 1.02 * slow])
    assert OVERHEAD * 0.020 * small == pytest.approx(training_seconds(CIFAR10, 180.0), abs=0.03)
    known = with_budget(CIFAR10, 180.0)
    asked = TIP.decide(known, PLAN)
    because = TIP.decide(answered(known, asked, lambda question: [20.0, 1.02 * slow][question.rung]), PLAN).because
    assert "rung-1 left out, under 3 epochs" in because


def test_what_could_not_be_timed_is_estimated():
    estimate = 1000 * step_seconds(PLAN.ladder.rungs[0].network, CIFAR10, PLAN)
    assert steps(CIFAR10, [inf, 90.0]) == steps(CIFAR10, [estimate, 90.0])


def test_even_the_slowest_takes_a_step():
    assert steps(with_budget(CIFAR10, 4.0), [1e6, 1e6]) == [1]


@pytest.mark.parametrize(("known", "epochs", "an_epoch"), [(CIFAR10, 30, 71), (DIGITS, 60, 10)])
def test_without_a_budget_the_passes_are_fixed_and_nothing_is_asked(known, epochs, an_epoch):
    decision = TIP.decide(with_budget(known, None), PLAN)
    assert [rung.steps for rung in decision.plan.ladder.rungs] == [epochs * an_epoch] * 2


def test_early_ends_of_another_run_are_forgotten():
    rung = replace(PLAN.ladder.rungs[0], steps=100, cool_downs=(CoolDown(at=10, end=20),))
    plan = replace(PLAN, ladder=replace(PLAN.ladder, rungs=(rung,)))
    assert applied(TIP, CIFAR10, plan).ladder.rungs[0].cool_downs == ()


def test_it_stays_out_of_an_empty_ladder():
    skipped(TIP, CIFAR10, start(CIFAR10))


@settings(deadline=None)
@given(
    seconds=st.floats(0, 1e5),
    paces=st.lists(st.floats(1e-4, 100), min_size=1, max_size=4),
    most=st.integers(1, 100_000),
)
def test_no_more_time_is_given_out_than_there_is(seconds, paces, most):
    counts = share_out(seconds, paces, most)
    assert all(1 <= count <= most for count in counts)
    beyond_one = sum((count - 1) * pace for count, pace in zip(counts, paces, strict=True))
    assert beyond_one <= seconds * (1 + 1e-9)
