import pytest
from tests.tips.known_briefs import (
    BREAST_CANCER,
    CIFAR10,
    DIGITS,
    OWN,
    applied,
    brief,
    images,
    skipped,
    start,
    with_budget,
    with_rungs,
    with_train,
)

from fieldcraft.plan.schema import Cnn, Mlp
from fieldcraft.tips.architecture import TIP


def names(plan):
    return [rung.name for rung in plan.ladder.rungs]


def test_images_get_convolutions_and_rows_get_an_mlp():
    for known, kind in ((DIGITS, Cnn), (CIFAR10, Cnn), (BREAST_CANCER, Mlp)):
        plan = applied(TIP, known, start(known))
        assert names(plan) == ["small", "large"]
        assert all(isinstance(rung.network, kind) for rung in plan.ladder.rungs)
        assert plan.ladder.baselines == ("majority", "linear", "boosting")


def test_every_network_is_wider_than_the_one_below():
    for known in (DIGITS, CIFAR10, BREAST_CANCER):
        small, large = (rung.network for rung in applied(TIP, known, start(known)).ladder.rungs)
        assert large.widths[0] > small.widths[0]


def test_tiny_sets_get_half_the_width():
    tiny, enough = (applied(TIP, known, start(known)) for known in (with_train(DIGITS, 999), with_train(DIGITS, 1_000)))
    assert 2 * tiny.ladder.rungs[0].network.widths[0] == enough.ladder.rungs[0].network.widths[0]


@pytest.mark.parametrize(
    ("seconds", "train", "count"), [(1_199.0, 5_000, 2), (1_200.0, 4_999, 2), (1_200.0, 5_000, 3), (None, 50_000, 2)]
)
def test_a_third_network_needs_time_and_samples(seconds, train, count):
    known = with_budget(with_train(CIFAR10, train), seconds)
    assert len(applied(TIP, known, start(known)).ladder.rungs) == count


@pytest.mark.parametrize("side", [1, 2, 3, 7, 15, 16, 17, 224])
def test_the_plain_form_fits_images_of_any_size(side):
    known = brief(images(side, 64, 1), train=5_000)
    for rung in applied(TIP, known, start(known)).ladder.rungs:
        network, left = rung.network, side
        cut = 0 if network.padding == "same" else network.kernel - 1
        for stage in range(len(network.widths)):
            left = (left - cut) // (2 if stage else 1)
        assert left >= 1


def test_ones_own_network_stays():
    plan = with_rungs(start(CIFAR10), OWN)
    assert "mine.nets:Net" in skipped(TIP, CIFAR10, plan)
