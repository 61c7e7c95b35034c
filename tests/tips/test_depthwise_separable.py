from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tips.known_briefs import BREAST_CANCER, CIFAR10, applied, settle, skipped, start, with_rungs

from fieldcraft.plan.schema import Cnn, Mlp, Plan, ResNet
from fieldcraft.tips.depthwise_separable import NARROWEST, TIP
from fieldcraft.tips.interface import Applied, PredictionTime, Skipped
from fieldcraft.tips.rough import macs

SMALL, LARGE = Cnn(widths=(8, 16)), ResNet(widths=(32, 64, 128), depths=(1, 0, 1))


def plan(**limits: float) -> Plan:
    drafted = with_rungs(start(CIFAR10), SMALL, LARGE)
    return replace(drafted, prediction=replace(drafted.prediction, **limits))


def cost(network: Cnn | ResNet) -> int:
    return macs(network, CIFAR10, start(CIFAR10).input)


def networks(drafted: Plan) -> list[Cnn | ResNet]:
    return [rung.network for rung in drafted.ladder.rungs]


def test_without_a_limit_it_stays_out_and_says_what_the_network_takes():
    assert f"{cost(LARGE) / 1e6:.3g} M" in skipped(TIP, CIFAR10, plan())
    skipped(TIP, BREAST_CANCER, with_rungs(start(BREAST_CANCER), Mlp()))


def test_a_limit_that_dense_networks_keep_changes_nothing():
    assert "dense" in skipped(TIP, CIFAR10, plan(limit_macs=cost(LARGE)))


def test_only_networks_above_the_limit_become_separable():
    limited = plan(limit_macs=cost(LARGE) - 1)
    assert networks(applied(TIP, CIFAR10, limited)) == [SMALL, replace(LARGE, separable=True)]
    decision, _ = settle(TIP, CIFAR10, limited)
    before, after = cost(LARGE), cost(replace(LARGE, separable=True))
    assert f"{before / 1e6:.3g} M dense, {after / 1e6:.3g} M separable" in decision.because


@settings(deadline=None, max_examples=40)
@given(limit=st.integers(1, 60_000_000))
def test_the_limit_holds_or_the_reason_says_that_it_cannot(limit):
    decision, _ = settle(TIP, CIFAR10, plan(limit_macs=limit))
    left = networks(decision.plan) if isinstance(decision, Applied) else [SMALL, LARGE]
    if max(map(cost, left)) > limit:
        assert "above it" in decision.because
        assert all(max(network.widths[:1]) <= NARROWEST for network in left if cost(network) > limit)


def test_what_counts_less_is_not_taken_when_it_takes_longer():
    def ms(question: PredictionTime) -> float:
        network = question.plan.ladder.rungs[question.rung].network
        return network.widths[0] * (2.0 if network.separable else 1.0) / 10

    decision, _ = settle(TIP, CIFAR10, plan(limit_ms=2.0), ms)
    assert isinstance(decision, Applied)
    assert networks(decision.plan) == [SMALL, replace(LARGE, widths=(16, 32, 64))]
    again, _ = settle(TIP, CIFAR10, decision.plan, ms)
    assert isinstance(again, Skipped)


def test_both_limits_hold_together():
    def ms(question: PredictionTime) -> float:
        return 1.0 if question.plan.ladder.rungs[question.rung].network.separable else 9.0

    left = networks(applied(TIP, CIFAR10, plan(limit_ms=5.0, limit_macs=10**9), ms))
    assert all(network.separable for network in left)


def test_what_could_not_be_timed_is_not_taken_to_fit():
    decision, _ = settle(TIP, CIFAR10, plan(limit_ms=5.0), lambda question: float("inf"))
    assert "above it" in decision.because and "not timed" in decision.because


@pytest.mark.parametrize("change", [{"widths": (16, 64, 128)}, {"separable": True}])
def test_the_question_depends_on_the_network(change):
    asked = PredictionTime(plan=plan(), rung=1)
    other = PredictionTime(plan=with_rungs(plan(), SMALL, replace(LARGE, **change)), rung=1)
    assert asked.key != other.key
    assert asked.key == PredictionTime(plan=replace(plan(), seed=5), rung=1).key
