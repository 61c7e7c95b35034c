import pytest
from tests.tips.known_briefs import (
    BREAST_CANCER,
    CIFAR10,
    MNIST,
    PHOTOGRAPHS,
    applied,
    skipped,
    start,
    with_budget,
    with_machine,
    with_rungs,
    with_train,
)

from fieldcraft.plan.schema import Cnn, Mlp, ResNet
from fieldcraft.tips.rough import affordable_macs, macs
from fieldcraft.tips.width import BASES, TIP, TOLERANCE, WIDEST, WIDEST_TINY

STAGES = (8, 16, 32, 64)


def bases(known):
    plan = with_rungs(start(known), Cnn(widths=STAGES), ResNet(widths=STAGES, depths=(0, 1, 0, 1)))
    return [rung.network.widths[0] for rung in applied(TIP, known, plan).ladder.rungs]


@pytest.mark.parametrize("known", [MNIST, CIFAR10, PHOTOGRAPHS], ids=["mnist", "cifar10", "photographs"])
def test_the_largest_is_the_widest_that_the_budget_carries(known):
    small, large = bases(known)

    def cost(base):
        widths = tuple(base * 2**stage for stage in range(4))
        return macs(ResNet(widths=widths, depths=(0, 1, 0, 1)), known, start(known).input)

    assert cost(large) <= TOLERANCE * affordable_macs(known) or large == BASES[0]
    assert all(cost(base) > TOLERANCE * affordable_macs(known) for base in BASES if base > large)
    assert small == max(BASES[0], large // 2)


def test_more_time_never_narrows():
    widths = [bases(with_budget(CIFAR10, seconds))[1] for seconds in (10.0, 60.0, 180.0, 1_000.0, 10_000.0)]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1] == BASES[-1]


def test_a_machine_without_bf16_gets_a_narrower_network():
    assert bases(with_machine(CIFAR10, bf16=False))[1] < bases(CIFAR10)[1]


@pytest.mark.parametrize(("train", "most"), [(1_999, WIDEST_TINY), (2_000, BASES[-1])])
def test_tiny_sets_stay_narrow(train, most):
    assert bases(with_budget(with_train(CIFAR10, train), 100_000.0))[1] == most


def test_channels_end_somewhere():
    known = with_budget(CIFAR10, 1e6)
    (rung,) = applied(TIP, known, with_rungs(start(known), Cnn(widths=(8,) * 6))).ladder.rungs
    assert rung.network.widths == (64, 128, 256, 512, WIDEST, WIDEST)


def test_it_stays_out_of_rows():
    skipped(TIP, BREAST_CANCER, with_rungs(start(BREAST_CANCER), Mlp()))
