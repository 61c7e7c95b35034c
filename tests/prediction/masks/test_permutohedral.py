"""The lattice against summing over all pairs of points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.permutohedral import lattice


def slow(features, values):
    found = np.zeros_like(values, dtype=np.float64)
    for i, a in enumerate(features):
        for j, b in enumerate(features):
            found[i] += np.exp(-0.5 * np.square(a - b).sum()) * values[j]
    return found


def cloud(dimensions, points=250, seed=0, width=1.5):
    rng = np.random.default_rng(seed)
    return rng.normal(0, width, (points, dimensions)).astype(np.float32), rng.random((points, 2)).astype(np.float32)


@pytest.mark.parametrize(("dimensions", "off"), [(1, 0.02), (2, 0.04), (3, 0.06), (4, 0.12), (5, 0.25)])
def test_sums_are_about_those_over_all_pairs(dimensions, off):
    """The emptier the space between points is, the more a blur loses; it loses about the same everywhere."""
    features, values = cloud(dimensions)
    found, true = lattice(features)(values), slow(features, values)
    assert abs(np.log(found / true)).mean() < off
    assert np.corrcoef(found.ravel(), true.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("dimensions", [2, 4])
def test_means_are_those_over_all_pairs(dimensions):
    features, values = cloud(dimensions)
    ones = np.ones((len(features), 1), np.float32)
    kernel = lattice(features)
    found, true = kernel(values) / kernel(ones), slow(features, values) / slow(features, ones)
    assert np.abs(found - true).mean() < 0.02


@given(st.integers(1, 4), st.integers(1, 40), st.integers(0, 10_000))
@settings(max_examples=40)
def test_weights_of_corners_sum_to_one_and_nothing_is_negative(dimensions, points, seed):
    features, values = cloud(dimensions, points, seed, width=4.0)
    kernel = lattice(features)
    weights = kernel.gather.toarray()
    assert weights.min() > -1e-4
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-4)
    assert np.count_nonzero(np.abs(weights) > 1e-5, axis=1).max() <= dimensions + 1
    assert (kernel(values) >= -1e-4).all()


def test_the_filter_is_linear_and_far_points_do_not_hear_each_other():
    features, values = cloud(3)
    kernel = lattice(features)
    np.testing.assert_allclose(kernel(3 * values), 3 * kernel(values), rtol=1e-5)
    apart = np.array([[0, 0], [100, 0]], np.float32)
    heard = lattice(apart)(np.array([[1.0], [0.0]], np.float32))
    assert heard[0, 0] > 0.3 and heard[1, 0] == 0


def test_moving_all_points_moves_sums_little():
    features, values = cloud(3)
    here, there = lattice(features)(values), lattice(features + np.float32(7.3))(values)
    assert np.corrcoef(here.ravel(), there.ravel())[0, 1] > 0.99


def test_features_that_span_too_much_are_told():
    features = np.zeros((2, 8), np.float32)
    features[1] = 1e4
    with pytest.raises(DataError, match=r"8 features.*wider Gaussians or fewer channels"):
        lattice(features)
