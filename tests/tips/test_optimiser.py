from dataclasses import replace
from math import sqrt

import pytest
from tests.tips.known_briefs import BREAST_CANCER, CIFAR10, OWN, applied, skipped, start, with_rungs

from fieldcraft.plan.schema import AdamW, Batch, Cnn, Linear, Mlp, ResNet, RmsProp, Sgd
from fieldcraft.tips.optimiser import ADAMW_BOUNDS, ADAMW_LR, OWN_LR, SGD_BOUNDS, SGD_LR, TIP, WITHOUT_NORM


def decided(*networks, batch=128, known=CIFAR10):
    return applied(TIP, known, replace(with_rungs(start(known), *networks), batch=Batch(size=batch)))


def test_convolutions_get_sgd_with_nesterov_momentum():
    plan = decided(Cnn(), ResNet())
    assert plan.optimiser == Sgd(momentum=0.9, nesterov=True)
    assert [rung.lr for rung in plan.ladder.rungs] == [SGD_LR, SGD_LR]


@pytest.mark.parametrize("networks", [(Mlp(),), (Linear(),), (OWN,), (Cnn(), OWN)])
def test_anything_else_gets_adamw(networks):
    assert isinstance(decided(*networks).optimiser, AdamW)


@pytest.mark.parametrize("batch", [1, 16, 64, 128, 256, 512, 4096])
def test_the_rate_grows_with_the_batch_within_bounds(batch):
    low, high = SGD_BOUNDS
    assert decided(Cnn(), batch=batch).ladder.rungs[0].lr == pytest.approx(min(high, max(low, SGD_LR * batch / 128)))
    low, high = ADAMW_BOUNDS
    expected = min(high, max(low, ADAMW_LR * sqrt(batch / 128)))
    rungs = decided(Mlp(), known=BREAST_CANCER, batch=batch).ladder.rungs
    assert rungs[0].lr == pytest.approx(expected, abs=1e-6)


def test_without_norm_the_rate_is_lower():
    normed, bare = decided(Cnn(), Cnn(norm="none")).ladder.rungs
    assert bare.lr == pytest.approx(WITHOUT_NORM * normed.lr)


def test_ones_own_network_gets_the_careful_rate():
    assert decided(OWN).ladder.rungs[0].lr == OWN_LR


def test_decay_that_was_decided_stays():
    plan = replace(with_rungs(start(CIFAR10), Cnn()), optimiser=AdamW(weight_decay=0.3, decay_norms_and_biases=False))
    changed = applied(TIP, CIFAR10, plan).optimiser
    assert (changed.kind, changed.weight_decay, changed.decay_norms_and_biases) == ("sgd", 0.3, False)


def test_it_stays_out_of_an_empty_ladder():
    skipped(TIP, CIFAR10, start(CIFAR10))


def test_rmsprop_is_kept_where_it_was_set_and_never_chosen():
    by_hand = RmsProp(alpha=0.9)
    plan = applied(TIP, CIFAR10, replace(with_rungs(start(CIFAR10), Cnn(), Mlp()), optimiser=by_hand))
    assert plan.optimiser == by_hand
    assert [rung.lr for rung in plan.ladder.rungs] == [OWN_LR, ADAMW_LR]
