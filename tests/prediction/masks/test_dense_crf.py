"""The CRF against its formula, written voxel by voxel; identities; and what it does to an edge and to a speck."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.special import softmax

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.dense_crf import exact_marginals, marginals
from fieldcraft.records.masks import DenseCrf


def slow_marginals(logits, image, spacing, crf):
    """Algorithm 1 with kernels normalised symmetrically, one voxel and one class at a time."""
    at = list(np.ndindex(image.shape[1:]))
    place = np.array(at) * spacing
    spread = [one.std() or 1.0 for one in image]
    tone = np.array([[(one[p] - one.mean()) / width for one, width in zip(image, spread, strict=True)] for p in at])
    far = np.square(place[:, None] - place).sum(-1)
    unlike = np.square(tone[:, None] - tone).sum(-1)
    kernels = [
        (crf.smooth_weight, np.exp(-far / (2 * crf.smooth_mm**2))),
        (crf.near_weight, np.exp(-far / (2 * crf.near_mm**2) - unlike / (2 * crf.tone**2))),
    ]
    own = np.array([[one[p] for one in logits] for p in at], dtype=float)
    q = softmax(own, axis=1)
    for _ in range(crf.iterations):
        pulled = own.copy()
        for weight, kernel in kernels:
            degree = kernel.sum(axis=1)
            for i in range(len(at)):
                for j in range(len(at)):
                    if i != j:
                        pulled[i] += weight * kernel[i, j] / np.sqrt(degree[i] * degree[j]) * q[j]
        q = softmax(pulled, axis=1)
    return q.T.reshape(logits.shape)


def scene(sides, classes=3, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    image = np.stack([gaussian_filter(rng.normal(size=sides), 1.5) for _ in range(channels)])
    image = image / image.std() + 0.2 * rng.normal(size=image.shape)
    ranks = np.digitize(image[0], np.quantile(image[0], np.linspace(0, 1, classes + 1)[1:-1]))
    logits = 1.5 * np.eye(classes)[ranks] + rng.normal(0, 1, (*sides, classes))
    return np.moveaxis(logits, -1, 0).astype(np.float32), image.astype(np.float32)


@pytest.mark.parametrize(("sides", "spacing", "channels"), [((9,), (1.0,), 1), ((4, 5), (2.0, 0.7), 2)])
def test_comparing_all_pairs_is_the_formula(sides, spacing, channels):
    logits, image = scene(sides, channels=channels)
    crf = DenseCrf(smooth_mm=1.2, near_mm=2.5, tone=0.8, iterations=3)
    found = exact_marginals(logits, image, spacing, crf)
    np.testing.assert_allclose(found, slow_marginals(logits, image, spacing, crf), atol=1e-5)


@pytest.mark.parametrize(
    ("sides", "spacing", "channels"),
    [
        ((40, 40), (1.0, 1.0), 1),
        ((12, 14, 12), (1.0, 1.0, 1.0), 1),
        ((14, 16, 8), (1.0, 1.0, 2.5), 1),
        ((30, 30), (1.0, 1.0), 3),
        ((200,), (1.0,), 1),
    ],
)
def test_fast_marginals_are_near_exact_ones(sides, spacing, channels):
    logits, image = scene(sides, channels=channels)
    fast, exact = marginals(logits, image, spacing), exact_marginals(logits, image, spacing)
    assert np.abs(fast - exact).mean() < 0.02
    assert np.abs(exact - softmax(logits, axis=0)).mean() > 0.05  # it does something


@given(st.integers(0, 10_000), st.integers(2, 4))
@settings(max_examples=20)
def test_without_weights_it_is_the_softmax(seed, classes):
    logits, image = scene((5, 6), classes, seed=seed)
    nothing = DenseCrf(smooth_weight=0.0, near_weight=0.0)
    for way in (marginals, exact_marginals):
        np.testing.assert_allclose(way(logits, image, (1.0, 1.0), nothing), softmax(logits, axis=0), rtol=1e-6)


@given(st.integers(0, 10_000))
@settings(max_examples=15)
def test_probabilities_sum_to_one_and_names_of_classes_do_not_matter(seed):
    logits, image = scene((8, 9), 3, seed=seed)
    order = np.random.default_rng(seed).permutation(3)
    for way in (marginals, exact_marginals):
        found = way(logits, image, (1.0, 1.0))
        np.testing.assert_allclose(found.sum(axis=0), 1, atol=1e-5)
        np.testing.assert_allclose(way(logits[order], image, (1.0, 1.0)), found[order], atol=1e-4)


@pytest.mark.parametrize("way", [marginals, exact_marginals])
def test_units_of_intensity_and_of_length_do_not_matter(way):
    logits, image = scene((10, 12))
    here = way(logits, image, (1.0, 1.5), DenseCrf())
    scaled = DenseCrf(smooth_mm=10.0, near_mm=30.0)
    np.testing.assert_allclose(way(logits, 100 + 7 * image, (10.0, 15.0), scaled), here, atol=2e-3)


def test_mirrored_input_gives_mirrored_output():
    logits, image = scene((10, 12))
    here, there = (
        exact_marginals(logits, image, (1.0, 1.0)),
        exact_marginals(logits[:, ::-1], image[:, ::-1], (1.0, 1.0)),
    )
    np.testing.assert_allclose(there[:, ::-1], here, atol=1e-4)


def test_a_constant_image_leaves_positions_alone():
    logits, image = scene((12, 12))
    flat = np.full_like(image, 5.0)
    fast, exact = marginals(logits, flat, (1.0, 1.0)), exact_marginals(logits, flat, (1.0, 1.0))
    assert np.isfinite(fast).all() and np.abs(fast - exact).mean() < 0.02


def test_a_speck_goes_and_a_blurred_edge_moves_to_where_the_image_has_it():
    image = np.zeros((1, 40, 40), np.float32)
    image[:, :, 20:] = 1.0
    column = np.clip((np.arange(40) - 22.0) / 3, -2, 2)  # the network's edge is two pixels off
    difference = np.tile(column, (40, 1))
    difference[10, 8] = 1.5
    logits = np.stack([-difference / 2, difference / 2]).astype(np.float32)
    before = logits.argmax(axis=0)
    after = marginals(logits, image, (1.0, 1.0), DenseCrf(near_weight=3.0, near_mm=4.0)).argmax(axis=0)
    truth = image[0].astype(int)
    assert before[10, 8] == 1 and after[10, 8] == 0
    assert (before != truth).sum() > 60 and (after != truth).sum() < 10


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_told(bad):
    logits, image = scene((5, 5))
    worse = image.copy()
    worse[0, 2, 2] = bad
    with pytest.raises(DataError, match="image must be finite"):
        marginals(logits, worse, (1.0, 1.0))
    worse = logits.copy()
    worse[0, 2, 2] = bad
    with pytest.raises(DataError, match="logits must be finite"):
        marginals(worse, image, (1.0, 1.0))


def test_what_does_not_fit_is_told():
    logits, image = scene((5, 5))
    with pytest.raises(DataError, match="spacing must be 2 distances"):
        marginals(logits, image, (1.0,))
    with pytest.raises(DataError, match=r"same sides, but got \(5, 5\) and \(5, 4\)"):
        marginals(logits, image[:, :, :4], (1.0, 1.0))
    with pytest.raises(DataError, match="at most 4096 voxels, but got 6400"):
        exact_marginals(*scene((80, 80)), (1.0, 1.0))
