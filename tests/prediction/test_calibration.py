"""Temperature and reliability, against what Guo et al. 2017 define."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax

from fieldcraft.prediction.calibration import apply, fit_temperature, reliability


def slow_ece(probabilities, truth, bins):
    """Equation 3, bin by bin and sample by sample."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    total = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = [
            i for i in range(len(truth)) if low <= confidence[i] < high or (number == bins - 1 and confidence[i] == 1)
        ]
        if inside:
            total += len(inside) / len(truth) * abs(np.mean(right[inside]) - np.mean(confidence[inside]))
    return total


@given(st.integers(0, 10_000), st.integers(2, 20))
@settings(deadline=None, max_examples=30)
def test_the_error_is_the_papers(seed, bins):
    rng = np.random.default_rng(seed)
    probabilities, truth = rng.dirichlet(np.ones(3) * 0.5, 50), rng.integers(0, 3, 50)
    found = reliability(probabilities, truth, bins)
    assert found.ece == pytest.approx(slow_ece(probabilities, truth, bins))
    assert sum(found.counts) == 50 and len(found.counts) == bins


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(true_temperature):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(8000, 4)) * 3
    drawn = (softmax(logits / true_temperature, axis=1).cumsum(axis=1) > rng.random((8000, 1))).argmax(axis=1)
    assert fit_temperature(logits, drawn, "single-label") == pytest.approx(true_temperature, rel=0.1)
    labels = (expit(logits / true_temperature) > rng.random(logits.shape)).astype(np.uint8)
    assert fit_temperature(logits, labels, "multi-label") == pytest.approx(true_temperature, rel=0.1)


def test_over_confidence_is_mended_and_no_answer_changes():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(3000, 5)) * 2
    truth = (softmax(logits, axis=1).cumsum(axis=1) > rng.random((3000, 1))).argmax(axis=1)
    bold = 4 * logits
    temperature = fit_temperature(bold[:1500], truth[:1500], "single-label")
    before, after = (apply(bold[1500:], one, "single-label") for one in (1.0, temperature))
    assert reliability(after, truth[1500:]).ece < 0.3 * reliability(before, truth[1500:]).ece
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))


def test_the_temperature_stays_within_bounds_when_all_is_right():
    temperature = fit_temperature(np.eye(3)[np.arange(30) % 3] * 5, np.arange(30) % 3, "single-label")
    assert 0.04 < temperature < 1


def test_labels_count_one_by_one():
    probabilities, truth = np.array([[0.9, 0.2], [0.6, 0.7]]), np.array([[1, 1], [1, 0]])
    found = reliability(probabilities, truth, bins=10)
    # 0.9 right, 0.8 wrong, 0.6 right, 0.7 wrong
    assert found.ece == pytest.approx((0.1 + 0.8 + 0.4 + 0.7) / 4)


def test_regression_passes_unchanged():
    numbers = np.array([[1.0], [2.0]])
    assert apply(numbers, 5.0, "regression") is numbers
    assert fit_temperature(numbers, numbers, "regression") == 1.0
