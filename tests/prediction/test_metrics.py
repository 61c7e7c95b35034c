"""Metrics: the same numbers as scikit-learn's, one by one and resample by resample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from fieldcraft.errors import DataError
from fieldcraft.prediction.metrics import METRICS, all_metrics, higher_is_better, score
from fieldcraft.prediction.resampled import resampled


def made_up(task, seed, n=60, outputs=4):
    """Truth and scores with ties, and with a class that nobody has when the seed is odd."""
    rng = np.random.default_rng(seed)
    if task == "regression":
        truth = rng.normal(size=(n, outputs)) * 10.0 ** np.arange(outputs)
        return truth, truth + rng.normal(size=(n, outputs))
    if task == "multi-label":
        truth = rng.integers(0, 2, (n, outputs)).astype(np.uint8)
        return truth, np.round(np.clip(truth * 0.3 + rng.random((n, outputs)) * 0.7, 0.01, 0.99), 1)
    truth = rng.integers(0, outputs - seed % 2, n)
    scores = np.round(rng.dirichlet(np.ones(outputs), n), 2) + 0.01
    scores[np.arange(n), truth] += 0.2
    return truth, scores / scores.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", [0, 2])
def test_single_label_is_what_scikit_learn_says(seed):
    truth, scores = made_up("single-label", seed)
    guess = scores.argmax(axis=1)
    found = all_metrics("single-label", truth, scores)
    assert found == pytest.approx(
        {
            "accuracy": sk.accuracy_score(truth, guess),
            "balanced-accuracy": sk.balanced_accuracy_score(truth, guess),
            "auroc": sk.roc_auc_score(truth, scores, multi_class="ovr", average="macro"),
            "f1": sk.f1_score(truth, guess, average="macro"),
            "log-loss": sk.log_loss(truth, scores),
        }
    )


def test_two_classes_have_the_area_of_the_second():
    truth, scores = made_up("single-label", 0, outputs=2)
    assert score("auroc", "single-label", truth, scores) == pytest.approx(sk.roc_auc_score(truth, scores[:, 1]))


def test_multi_label_is_what_scikit_learn_says():
    truth, scores = made_up("multi-label", 0)
    assert all_metrics("multi-label", truth, scores) == pytest.approx(
        {
            "accuracy": (truth == (scores >= 0.5)).mean(),
            "auroc": sk.roc_auc_score(truth, scores, average="macro"),
            "f1": sk.f1_score(truth, scores >= 0.5, average="macro"),
            "log-loss": np.mean([sk.log_loss(truth[:, i], scores[:, i]) for i in range(truth.shape[1])]),
        }
    )


def test_regression_is_what_scikit_learn_says():
    truth, scores = made_up("regression", 0)
    sigma = np.array([1.0, 2.0, 3.0, 4.0])
    nll = np.mean(
        [0.5 * np.log(2 * np.pi * s**2) + (truth[:, i] - scores[:, i]) ** 2 / (2 * s**2) for i, s in enumerate(sigma)]
    )
    assert all_metrics("regression", truth, scores, sigma) == pytest.approx(
        {
            "rmse": sk.root_mean_squared_error(truth, scores),
            "mae": sk.mean_absolute_error(truth, scores),
            "r2": sk.r2_score(truth, scores),
            "nll": nll,
        }
    )
    assert score("rmse", "regression", truth[:, 0], scores[:, :1]) == score(
        "rmse", "regression", truth[:, :1], scores[:, :1]
    )


@given(st.integers(0, 10_000), st.sampled_from(sorted(task for task, names in METRICS.items() if names)))
@settings(deadline=None, max_examples=30)
def test_all_resamples_at_once_are_the_same_as_one_by_one(seed, task):
    truth, scores = made_up(task, seed, n=25)
    rows = np.random.default_rng(seed).integers(0, 25, (7, 25))
    counts = np.stack([np.bincount(row, minlength=25) for row in rows], axis=1).astype(np.uint16)
    sigma = np.array([1.0, 2.0, 3.0, 4.0]) if task == "regression" else None
    names = (*METRICS[task], "nll") if task == "regression" else METRICS[task]
    fast = resampled(names, task, truth, scores, counts, sigma)
    slow = [all_metrics(task, truth[row], scores[row], sigma) for row in rows]
    for name in names:
        np.testing.assert_allclose(fast[name], [one[name] for one in slow], rtol=1e-9, atol=1e-12)


def test_a_class_that_is_missing_is_left_out_of_the_area():
    truth, scores = made_up("single-label", 1)
    assert 3 not in truth
    areas = [sk.roc_auc_score(truth == one, scores[:, one]) for one in range(3)]
    assert score("auroc", "single-label", truth, scores) == pytest.approx(np.mean(areas))
    assert np.isnan(score("auroc", "single-label", np.zeros(60, int), scores))


def test_what_is_no_number_is_named():
    truth, scores = made_up("single-label", 0)
    scores[7] = np.nan
    with pytest.raises(DataError, match="number 7"):
        score("accuracy", "single-label", truth, scores)
    with pytest.raises(DataError, match="n >= 1"):
        score("accuracy", "single-label", truth[:-1], scores)
    with pytest.raises(ValueError, match="not defined for single-label"):
        score("rmse", "single-label", truth, scores)


def test_which_way_is_up():
    assert [name for name in ("accuracy", "auroc", "r2", "log-loss", "rmse", "nll") if higher_is_better(name)] == [
        "accuracy",
        "auroc",
        "r2",
    ]
    with pytest.raises(ValueError, match="no metric named"):
        higher_is_better("acuracy")
