"""Intervals: they cover as often as they say, groups stay whole, and differences are paired."""

import numpy as np
import pytest

from fieldcraft.prediction.bootstrap import intervals, paired_difference, resamples, share


def test_intervals_of_accuracy_cover_about_as_often_as_they_say():
    rng, truth = np.random.default_rng(0), np.zeros(150, dtype=np.int64)
    inside = 0
    for run in range(200):
        right = rng.random(150) < 0.8
        scores = np.where(right[:, None], [0.9, 0.1], [0.1, 0.9])
        found = intervals("single-label", truth, scores, repeats=200, seed=run)["accuracy"]
        inside += found.low <= 0.8 <= found.high
    assert 0.88 <= inside / 200 <= 0.99


def test_intervals_over_groups_cover_where_those_over_samples_do_not():
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(30), 20).astype(str)
    inside = {"whole": 0, "torn": 0}
    for run in range(100):
        offset = np.repeat(rng.normal(size=30), 20)[:, None]
        truth, scores = np.zeros((600, 1)), offset + 0.3 * rng.normal(size=(600, 1))
        expected = np.sqrt(1 + 0.09)
        whole = intervals("regression", truth, scores, groups, repeats=200, seed=run)["rmse"]
        torn = intervals("regression", truth, scores, repeats=200, seed=run)["rmse"]
        inside["whole"] += whole.low <= expected <= whole.high
        inside["torn"] += torn.low <= expected <= torn.high
        assert whole.n == 30 and torn.n == 600
    assert inside["whole"] >= 80
    assert inside["torn"] <= 60


def test_resamples_never_tear_a_group():
    groups = np.array(["a", "b", "a", "c", "b", "b"])
    for rows in resamples(6, groups, 20, seed=0):
        times = np.bincount(rows, minlength=6)
        assert all(len(set(times[groups == one])) == 1 for one in "abc")
        assert sum(times[[0, 1, 3]]) == 3


def test_a_perfect_share_still_has_a_lower_bound():
    assert share(np.ones(100)).low == pytest.approx(0.025 ** (1 / 100))
    assert share(np.zeros(100)).high == pytest.approx(1 - 0.025 ** (1 / 100))
    found = share(np.repeat([0.0, 1.0], 50))
    assert 0.35 < found.low < 0.5 < found.high < 0.65
    perfect = intervals("single-label", np.arange(60) % 2, np.eye(2)[np.arange(60) % 2])
    assert perfect["accuracy"].low < 0.95 and perfect["accuracy"].high == 1.0


def test_what_the_samples_do_not_define_is_left_out():
    found = intervals("single-label", np.zeros(20, dtype=int), np.full((20, 2), 0.5))
    assert "auroc" not in found and "accuracy" in found


def test_a_paired_difference_is_signed_and_its_error_is_that_of_the_mean_difference():
    rng = np.random.default_rng(2)
    truth = rng.normal(size=(400, 1))
    noise = rng.normal(size=(400, 1))
    a, b = truth + 0.5 * noise, truth + noise
    gain, error = paired_difference("mae", "regression", truth, a, b, repeats=1000)
    each = np.abs(truth - b) - np.abs(truth - a)
    assert gain == pytest.approx(each.mean())
    assert error == pytest.approx(each.std() / np.sqrt(400), rel=0.1)
    back, _ = paired_difference("mae", "regression", truth, b, a, repeats=1000)
    assert back == pytest.approx(-gain)


def test_a_tie_is_never_certain():
    truth, scores = np.arange(40) % 2, np.eye(2)[np.arange(40) % 2]
    assert paired_difference("accuracy", "single-label", truth, scores, scores) == (0.0, 1 / 40)


def test_ones_own_metric_is_resampled_like_a_named_one():
    truth = np.arange(50) % 2
    rng = np.random.default_rng(0)
    a, b = rng.dirichlet([1, 1], 50), rng.dirichlet([1, 1], 50)

    def accuracy(truth, scores):
        return float((scores.argmax(axis=1) == truth).mean())

    own = paired_difference(accuracy, "single-label", truth, a, b, groups=np.arange(50).astype(str))
    named = paired_difference("accuracy", "single-label", truth, a, b, groups=np.arange(50).astype(str))
    assert own == pytest.approx(named)
