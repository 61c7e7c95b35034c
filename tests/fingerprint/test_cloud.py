import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import pdist, squareform

from fieldcraft.fingerprint.cloud import distances, first_of_each, points
from fieldcraft.fingerprint.shrink import shrunk, spread
from fieldcraft.fingerprint.some import folds, some, told

random = np.random.default_rng(0)


def test_distances_are_those_of_scipy() -> None:
    cloud = random.standard_normal((50, 7))
    found = distances(cloud)
    np.testing.assert_allclose(found, squareform(pdist(cloud)), atol=1e-7)
    assert (found == found.T).all()


def test_principal_components_keep_distances_of_narrow_samples() -> None:
    features = random.standard_normal((60, 20)).astype(np.float32) + 3
    cloud = points(features, np.arange(60), seed=0)
    np.testing.assert_allclose(distances(cloud), squareform(pdist(features)), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(cloud.mean(axis=0), 0, atol=1e-5)


def test_wide_samples_of_low_rank_keep_their_distances() -> None:
    wide = (random.standard_normal((80, 5)) @ random.standard_normal((5, 600))).astype(np.float32)
    cloud = points(wide, np.arange(80), seed=0)
    assert cloud.shape == (80, 128) or cloud.shape[1] <= 80
    np.testing.assert_allclose(distances(cloud), squareform(pdist(wide)), rtol=1e-3, atol=1e-3)


def test_pixels_and_their_flat_rows_are_the_same_points() -> None:
    pixels = random.integers(0, 256, (30, 6, 5, 2)).astype(np.uint8)
    flat = pixels.reshape(30, -1).astype(np.float32)
    np.testing.assert_allclose(points(pixels, np.arange(30), 0), points(flat, np.arange(30), 0), atol=1e-3)


def test_numbers_that_are_none_count_as_zero() -> None:
    features = np.array([[1.0, np.nan], [np.inf, 2.0], [3.0, 4.0]], dtype=np.float32)
    assert np.isfinite(points(features, np.arange(3), 0)).all()


def test_large_images_are_averaged_in_blocks() -> None:
    pixels = random.integers(0, 256, (3, 64, 40, 1)).astype(np.uint8)
    small = shrunk(pixels, np.array([2, 0]), 32)
    assert small.shape == (2, 32, 20, 1)
    assert small[0, 5, 7, 0] == pytest.approx(pixels[2, 10:12, 14:16, 0].mean())


@given(st.integers(1, 100))
def test_places_are_inside_and_evenly_spread(side: int) -> None:
    places = spread(side)
    assert len(places) == min(side, 3) and all(0 <= place < side for place in places)
    assert np.mean(places) == pytest.approx((side - 1) / 2, abs=0.67)


def test_very_large_images_keep_their_means() -> None:
    ramp = np.linspace(0, 255, 320, dtype=np.float32)[None, :, None, None] * np.ones((1, 1, 320, 1), np.float32)
    small = shrunk(ramp, np.array([0]), 32)
    np.testing.assert_allclose(small[0, :, 5, 0], ramp[0, :, 0, 0].reshape(32, 10).mean(axis=1), atol=1.0)


def test_repeats_are_found_once() -> None:
    cloud = random.standard_normal((20, 3))
    cloud[[5, 9]] = cloud[2]
    cloud[17] = cloud[0]
    np.testing.assert_array_equal(first_of_each(distances(cloud)), np.delete(np.arange(20), [5, 9, 17]))
    np.testing.assert_array_equal(first_of_each(distances(np.ones((4, 2)))), [0])


@given(arrays(np.int64, st.integers(1, 300), elements=st.integers(0, 5)), st.integers(1, 100))
def test_some_targets_are_spread_as_all_are(targets: np.ndarray, most: int) -> None:
    rows = some(targets, most, 0, "test")
    assert len(rows) == min(most, len(targets)) == len(set(rows.tolist()))
    assert (np.diff(rows) > 0).all()
    share = np.bincount(targets[rows], minlength=6) - np.bincount(targets, minlength=6) * len(rows) / len(targets)
    assert np.abs(share).max() < 1 + 1e-9


def test_folds_keep_groups_whole_and_depend_on_the_seed() -> None:
    groups = random.integers(0, 40, 300)
    fold = folds(300, groups, 5, seed=0)
    assert all(len(set(fold[groups == group])) == 1 for group in np.unique(groups))
    assert set(fold) == set(range(5))
    assert (fold != folds(300, groups, 5, seed=1)).any()
    counts = np.bincount(folds(103, None, 5, seed=0))
    assert counts.max() - counts.min() <= 1


def test_samples_are_told() -> None:
    assert told(5, 5) == "all 5 training samples"
    assert told(2_000, 60_000) == "2,000 of 60,000 training samples"
