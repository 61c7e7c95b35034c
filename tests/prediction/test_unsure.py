"""The unsure flag: the lowest threshold that keeps its promise on validation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.prediction.unsure import FEWEST, choose_threshold, confidence, flag, right


def two_classes(sure):
    return np.column_stack([sure, 1 - sure])


@given(st.integers(0, 10_000), st.sampled_from([0.7, 0.8, 0.9, 0.99]))
@settings(deadline=None, max_examples=50)
def test_the_threshold_is_what_a_slow_search_finds(seed, wanted):
    rng = np.random.default_rng(seed)
    probabilities = two_classes(np.round(rng.uniform(0.5, 1.0, 120), 2))
    truth = (rng.random(120) > probabilities[:, 0]).astype(int)
    found = choose_threshold(probabilities, truth, wanted)
    sure = probabilities.max(axis=1) >= found.value
    hits = right(probabilities, truth)
    assert found.coverage == pytest.approx(sure.mean()) and found.accuracy == pytest.approx(hits[sure].mean())
    reaching = []
    for value in np.unique(probabilities.max(axis=1)):
        inside = probabilities.max(axis=1) >= value
        if inside.sum() >= FEWEST and (hits[inside].sum() - 1) / inside.sum() >= wanted:
            reaching.append(value)
    if reaching:
        assert found.reached and found.value == min(reaching)


def test_a_promise_holds_on_fresh_samples():
    rng = np.random.default_rng(0)
    kept = []
    for _ in range(100):
        probabilities = two_classes(rng.uniform(0.5, 1.0, 2000))
        truth = (rng.random(2000) > probabilities[:, 0]).astype(int)
        found = choose_threshold(probabilities[:1000], truth[:1000], 0.9)
        sure = ~flag(probabilities[1000:], found.value, multi_label=False)
        kept.append(right(probabilities[1000:], truth[1000:])[sure].mean())
    assert np.mean(kept) == pytest.approx(0.9, abs=0.01)


def test_what_cannot_be_reached_is_said():
    rng = np.random.default_rng(0)
    probabilities = two_classes(rng.uniform(0.5, 1.0, 300))
    found = choose_threshold(probabilities, np.arange(300) % 2, 0.99)
    assert not found.reached and found.accuracy < 0.99 and found.coverage >= FEWEST / 300


def test_a_sample_with_labels_is_as_sure_as_its_least_sure_label():
    probabilities, truth = np.array([[0.9, 0.2], [0.99, 0.45]]), np.array([[1, 0], [1, 1]])
    np.testing.assert_allclose(confidence(probabilities, multi_label=True), [0.8, 0.55])
    assert right(probabilities, truth).tolist() == [True, False]
    assert flag(probabilities, 0.7, multi_label=True).tolist() == [False, True]
