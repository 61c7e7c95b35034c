import pytest
from tests.tips.known_briefs import (
    BREAST_CANCER,
    CIFAR10,
    OWN,
    applied,
    brief,
    cnn_plan,
    images,
    skipped,
    start,
    with_rungs,
)

from fieldcraft.plan.schema import Cnn, Initialisation, Linear, Mlp, ResNet
from fieldcraft.tips.initialisation import TIP


@pytest.mark.parametrize(
    ("activation", "kind"), [("relu", "he"), ("gelu", "he"), ("silu", "he"), ("tanh", "xavier"), ("identity", "xavier")]
)
def test_the_scale_follows_the_activation(activation, kind):
    assert applied(TIP, CIFAR10, cnn_plan(CIFAR10, activation=activation)).initialisation.kind == kind


@pytest.mark.parametrize(
    ("network", "zero"),
    [
        (Cnn(), False),
        (ResNet(), True),
        (ResNet(depths=(0, 0, 0)), False),
        (Mlp(residual=True), True),
        (Mlp(), False),
    ],
)
def test_branches_start_at_zero_where_there_are_any(network, zero):
    assert applied(TIP, CIFAR10, with_rungs(start(CIFAR10), Cnn(), network)).initialisation.zero_residual is zero


@pytest.mark.parametrize(
    ("side", "train", "whiten"), [(16, 1_000, True), (15, 1_000, False), (16, 999, False), (224, 50_000, True)]
)
def test_whitening_needs_pixels_and_images(side, train, whiten):
    known = brief(images(side, 224, 3), train=train)
    decision = TIP.decide(known, cnn_plan(known))
    assert decision.plan.initialisation.whiten is whiten
    assert f"{train:,} images of {side} px" in decision.because


def test_rows_get_the_scale_alone():
    plan = applied(TIP, BREAST_CANCER, with_rungs(start(BREAST_CANCER), Mlp()))
    assert plan.initialisation == Initialisation(kind="he")


@pytest.mark.parametrize("network", [Linear(), OWN])
def test_it_stays_out_where_nothing_is_hidden(network):
    skipped(TIP, CIFAR10, with_rungs(start(CIFAR10), network))
