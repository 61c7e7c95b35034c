from dataclasses import replace

from tests.tips.known_briefs import CIFAR10, applied, settle, skipped, start, with_rungs

from fieldcraft.plan.schema import Cnn, ResNet
from fieldcraft.tips.squeeze_excitation import REDUCTION, TIP

GATED = ResNet(widths=(32, 64, 128), depths=(1, 0, 1))


def test_it_adds_no_gates_and_says_what_they_would_take():
    weights = 2 * 32 * 4 + 2 * 128 * 128 // REDUCTION
    assert f"2 gates of reduction 16 would take {weights:,} weights" in skipped(
        TIP, CIFAR10, with_rungs(start(CIFAR10), Cnn(), GATED)
    )


def test_gates_that_were_asked_for_stay():
    plan = with_rungs(start(CIFAR10), replace(GATED, squeeze_excitation=4))
    assert applied(TIP, CIFAR10, plan) == plan
    decision, _ = settle(TIP, CIFAR10, plan)
    assert f"take {2 * 32 * 8 + 2 * 128 * 32:,} weights" in decision.because


def test_networks_without_blocks_have_no_place_for_gates():
    skipped(TIP, CIFAR10, with_rungs(start(CIFAR10), Cnn(), replace(GATED, depths=(0, 0, 0), squeeze_excitation=4)))
