from dataclasses import replace

import pytest
from tests.tips.known_briefs import CIFAR10, DIGITS, applied, skipped, start, with_budget, with_train

from fieldcraft.plan.schema import Batch
from fieldcraft.tips.weight_averaging import LEAST_STEPS, TIP, WINDOW_SHARE


def test_the_window_is_a_share_of_the_expected_steps():
    plan = replace(start(DIGITS), batch=Batch(size=32))
    steps = 60 * 39
    assert 1 / (1 - applied(TIP, DIGITS, plan).averaging.decay) == pytest.approx(WINDOW_SHARE * steps, rel=0.02)


def test_a_long_training_forgets_its_beginning():
    known = with_budget(with_train(CIFAR10, 1_000_000), None)
    assert applied(TIP, known, start(known)).averaging.decay == 0.999


@pytest.mark.parametrize(("train", "stays_out"), [(128 * 3, True), (128 * 3 + 1, False)])
def test_few_steps_are_not_averaged(train, stays_out):
    known = with_train(CIFAR10, train)
    steps = 60 * -(-train // 128)
    assert (steps < LEAST_STEPS) is stays_out
    if stays_out:
        assert str(steps) in skipped(TIP, known, start(known))
    else:
        assert applied(TIP, known, start(known)).averaging.decay > 0.9
