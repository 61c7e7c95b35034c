"""Permutation importance: zero for what is ignored, all for what decides, columns of one source together."""

import numpy as np
import pytest

from fieldcraft.prediction.importance import permutation_importance

FEATURES = np.random.default_rng(0).normal(size=(400, 4)).astype("f4")
GROUPS = (("both", [0, 1]), ("ignored", [2]), ("weak", [3]))


def error_of(features):
    told = features[:, 0] * features[:, 1] + 0.1 * features[:, 3]
    truth = FEATURES[:, 0] * FEATURES[:, 1] + 0.1 * FEATURES[:, 3]
    return float(np.mean((told - truth) ** 2))


def test_what_decides_comes_first_and_what_is_ignored_costs_nothing():
    before = FEATURES.copy()
    found = permutation_importance(error_of, FEATURES, GROUPS, higher_is_better=False, repeats=4, seed=1)
    assert [one.name for one in found] == ["both", "weak", "ignored"]
    assert found[-1].loss == 0 and found[-1].spread == 0
    # shuffled together, the pair stays a pair: the loss is twice the variance of the product
    assert found[0].loss == pytest.approx(2.0, rel=0.3)
    np.testing.assert_array_equal(FEATURES, before)


def test_the_sign_follows_the_metric():
    up = permutation_importance(lambda x: -error_of(x), FEATURES, GROUPS, higher_is_better=True, repeats=4, seed=1)
    down = permutation_importance(error_of, FEATURES, GROUPS, higher_is_better=False, repeats=4, seed=1)
    assert up == down


def test_it_stops_at_its_time():
    assert permutation_importance(error_of, FEATURES, GROUPS, higher_is_better=False, limit_s=-1.0) == ()
