import pytest
from tests.tips.known_briefs import BREAST_CANCER, CIFAR10, applied, cnn_plan, skipped, start, with_rungs

from fieldcraft.plan.schema import Mlp
from fieldcraft.tips.interface import Applied
from fieldcraft.tips.padding import TIP


def test_convolutions_are_padded():
    assert applied(TIP, CIFAR10, cnn_plan(CIFAR10, padding="none")).ladder.rungs[0].network.padding == "same"


def test_the_reason_says_how_much_would_be_cut():
    decision = TIP.decide(CIFAR10, cnn_plan(CIFAR10, padding="none", kernel=3))
    assert isinstance(decision, Applied)
    assert f"{1 - 30 * 30 / 32**2:.0%} of 32x32 px" in decision.because


@pytest.mark.parametrize("plan", [cnn_plan(CIFAR10, kernel=1, padding="none"), with_rungs(start(CIFAR10), Mlp())])
def test_it_stays_out_where_nothing_is_cut(plan):
    skipped(TIP, CIFAR10, plan)


def test_it_stays_out_of_rows():
    skipped(TIP, BREAST_CANCER, with_rungs(start(BREAST_CANCER), Mlp()))
