from dataclasses import replace

import pytest
from tests.tips.known_briefs import (
    CIFAR10,
    DIGITS,
    OWN,
    applied,
    settle,
    skipped,
    start,
    with_budget,
    with_rungs,
    with_train,
)

from fieldcraft.plan.schema import Batch, Cnn, Plan, Pretrained, ResNet
from fieldcraft.tips import epochs
from fieldcraft.tips.epochs import SMALL_SHARE
from fieldcraft.tips.interface import Applied, Ask, Skipped, StepTime
from fieldcraft.tips.rough import FEW_PASSES, enough_epochs, training_seconds
from fieldcraft.tips.short_ladder import ENOUGH, ENOUGH_STEPS, TELLING, TELLING_STEPS, TIP

PLAN = replace(with_rungs(start(CIFAR10), Cnn(), ResNet()), batch=Batch(size=128))
AN_EPOCH = 71  # 9,000 samples in steps of 128


def steps_in(milliseconds: float) -> float:
    """Of the first network, in its share of the time."""
    return SMALL_SHARE * training_seconds(CIFAR10, 180.0) / (epochs.OVERHEAD * milliseconds / 1000)


def paced(small: float, large: float):
    def milliseconds(question: StepTime) -> float:
        return small if question.plan.ladder.rungs[question.rung].name == PLAN.ladder.rungs[0].name else large

    return milliseconds


def test_both_networks_are_timed_first():
    decision = TIP.decide(CIFAR10, PLAN)
    assert isinstance(decision, Ask)
    assert decision == epochs.TIP.decide(CIFAR10, PLAN)


@pytest.mark.parametrize(("factor", "kind"), [(1.02, Skipped), (0.98, Applied)])
def test_the_first_network_goes_when_it_makes_too_few_passes(factor, kind):
    few = FEW_PASSES * 9_000 / 128
    assert few > TELLING * enough_epochs(9_000) * 9_000 / 128
    pace = steps_in(1.0) / (factor * few)
    decision, _ = settle(TIP, CIFAR10, PLAN, paced(pace, pace))
    assert isinstance(decision, kind), decision


def test_the_next_network_gets_all_of_the_time():
    paces = paced(60.0, 60.0)
    plan = applied(TIP, CIFAR10, PLAN, paces)
    assert [rung.network for rung in plan.ladder.rungs] == [PLAN.ladder.rungs[1].network]
    (large,) = applied(epochs.TIP, CIFAR10, plan, paces).ladder.rungs
    assert epochs.OVERHEAD * 0.06 * large.steps == pytest.approx(training_seconds(CIFAR10, 180.0), abs=0.2)


def test_many_steps_tell_something_however_few_the_passes_of_a_small_set():
    known = with_train(DIGITS, 1_000)
    plan = replace(PLAN, batch=Batch(size=25))
    pace = SMALL_SHARE * training_seconds(known, 60.0) / (epochs.OVERHEAD * 1.02 * TELLING_STEPS / 1000)
    assert TELLING * enough_epochs(1_000) > 1.02 * TELLING_STEPS * 25 / 1_000 > FEW_PASSES
    assert isinstance(settle(TIP, known, plan, paced(pace, pace))[0], Skipped)


def test_a_next_network_without_time_leaves_the_first_where_it_is():
    decision, _ = settle(TIP, CIFAR10, PLAN, paced(200.0, 5_000.0))
    assert isinstance(decision, Skipped)
    assert "no more than one" in decision.because


def milliseconds_for(passes: float) -> float:
    """A step of a network that makes so many passes alone."""
    return 1000 * training_seconds(CIFAR10, 180.0) / (epochs.OVERHEAD * passes * 9_000 / 128)


def test_networks_that_would_both_tell_nothing_stay():
    slow = milliseconds_for(0.98 * TELLING * enough_epochs(9_000))
    assert "neither would make 5.5 alone" in reason(paced(slow, slow))


@pytest.mark.parametrize(("share", "kept"), [(1.02, "rung-1"), (0.98, "rung-0")])
def test_the_first_network_gets_all_of_the_time_where_the_next_one_needs_more(share, kept):
    large = milliseconds_for(share * ENOUGH * enough_epochs(9_000))
    plan = applied(TIP, CIFAR10, PLAN, paced(0.9 * large, large))
    assert [rung.name for rung in plan.ladder.rungs] == [kept]


@pytest.mark.parametrize(("factor", "kept"), [(1.02, "rung-1"), (0.98, "rung-0")])
def test_on_a_small_set_a_thousand_steps_are_enough_for_the_next_one(factor, kept):
    known, plan = with_train(DIGITS, 1_000), replace(PLAN, batch=Batch(size=16))
    assert ENOUGH * enough_epochs(1_000) > ENOUGH_STEPS * 16 / 1_000
    pace = 1000 * training_seconds(known, 60.0) / (epochs.OVERHEAD * factor * ENOUGH_STEPS)
    found = applied(TIP, known, plan, paced(0.9 * pace, pace))
    assert [rung.name for rung in found.ladder.rungs] == [kept]


def test_a_network_that_tells_something_alone_is_better_than_one_that_does_not():
    fewest = milliseconds_for(1.02 * TELLING * enough_epochs(9_000))
    plan = applied(TIP, CIFAR10, PLAN, paced(2 * fewest, fewest))
    assert [rung.name for rung in plan.ladder.rungs] == ["rung-1"]


def test_of_three_networks_the_two_that_there_is_time_for_are_judged():
    three = with_networks(Cnn(), ResNet(), ResNet(widths=(128, 256), depths=(1, 1)))
    paces = {"small": 60.0, "large": 60.0, "larger": 10_000.0}
    plan = applied(TIP, CIFAR10, three, lambda question: paces[question.plan.ladder.rungs[question.rung].name])
    assert [rung.name for rung in plan.ladder.rungs] == ["large"]


@pytest.mark.parametrize("factor", [1.02, 0.98])
def test_a_third_network_comes_where_the_second_makes_the_passes_that_it_needs_beside_it(factor):
    three = with_networks(Cnn(), ResNet(), ResNet(widths=(128, 256), depths=(1, 1)))

    def paced_by(milliseconds: float):
        return lambda question: milliseconds * (0.2 if question.plan.ladder.rungs[question.rung].name == "small" else 1)

    timed = applied(epochs.TIP, CIFAR10, three, paced_by(80.0))
    passes = timed.ladder.rungs[1].steps * 128 / 9_000
    pace = 80.0 * passes / (factor * ENOUGH * enough_epochs(9_000))
    decision, _ = settle(TIP, CIFAR10, three, paced_by(pace))
    assert isinstance(decision, Skipped if factor > 1 else Applied), decision
    assert "beside larger, large would make" in decision.because
    if isinstance(decision, Applied):
        assert [rung.name for rung in decision.plan.ladder.rungs] == ["small", "large"]
        assert decision.because.endswith("larger is left out")


def test_it_stays_out_where_there_is_nothing_to_choose():
    assert "no networks" in skipped(TIP, CIFAR10, start(CIFAR10))
    assert "no second" in skipped(TIP, CIFAR10, with_rungs(start(CIFAR10), OWN))
    assert "no limit" in skipped(TIP, with_budget(CIFAR10, None), PLAN)
    every = replace(PLAN, ladder=replace(PLAN.ladder, climb="always"))
    assert "every network is asked for" in reason(paced(100.0, 100.0), every)
    taken_over = Pretrained(
        weights="a.pt",
        digest="0" * 32,
        family="timm",
        model="net",
        height=32,
        width=32,
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
    )
    assert "weights" in reason(paced(100.0, 100.0), with_rungs(start(CIFAR10), Cnn(), taken_over))


def reason(milliseconds, plan: Plan = PLAN) -> str:
    decision, _ = settle(TIP, CIFAR10, plan, milliseconds)
    assert isinstance(decision, Skipped), decision
    return decision.because


def with_networks(*networks) -> Plan:
    plan = with_rungs(start(CIFAR10), *networks)
    rungs = zip(("small", "large", "larger"), plan.ladder.rungs, strict=True)
    named = tuple(replace(rung, name=name) for name, rung in rungs)
    return replace(plan, ladder=replace(plan.ladder, rungs=named), batch=Batch(size=128))
