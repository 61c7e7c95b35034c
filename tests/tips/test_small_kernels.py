import pytest
from tests.tips.known_briefs import BREAST_CANCER, CIFAR10, applied, cnn_plan, skipped, start, with_rungs

from fieldcraft.anatomy.receptive import Window, field_after
from fieldcraft.plan.schema import Mlp, ResNet
from fieldcraft.tips.interface import Applied
from fieldcraft.tips.small_kernels import TIP


@pytest.mark.parametrize("kernel", [3, 5, 7, 31])
def test_larger_kernels_come_down_to_3(kernel):
    assert applied(TIP, CIFAR10, cnn_plan(CIFAR10, kernel=kernel)).ladder.rungs[0].network.kernel == 3


def test_only_the_larger_ones_change():
    plan = with_rungs(start(CIFAR10), ResNet(kernel=2), ResNet(kernel=5))
    assert [rung.network.kernel for rung in applied(TIP, CIFAR10, plan).ladder.rungs] == [2, 3]


@pytest.mark.parametrize("kernel", [5, 7, 9])
def test_the_numbers_in_the_reason_are_true(kernel):
    decision = TIP.decide(CIFAR10, cnn_plan(CIFAR10, kernel=kernel))
    steps = (kernel - 1) // 2
    assert field_after([Window(3)] * steps).size == field_after([Window(kernel)]).size == kernel
    assert isinstance(decision, Applied)
    assert f"{9 * steps} instead of {kernel**2} weights" in decision.because


def test_it_stays_out_of_smaller_kernels_and_of_rows():
    assert "2x2" in skipped(TIP, CIFAR10, cnn_plan(CIFAR10, kernel=2))
    skipped(TIP, BREAST_CANCER, with_rungs(start(BREAST_CANCER), Mlp()))
