"""The probe: filters of whitened patches, against a slow version, and what it is good for."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier

from fieldcraft.fingerprint.probe import PIECE, SIDE, draw_probe, probe_features, probe_images


def noise(count: int, height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, channels)).astype(np.uint8)


@given(height=st.integers(1, 40), width=st.integers(1, 40), channels=st.integers(1, 4), count=st.integers(1, 5))
def test_any_shape_gives_finite_numbers(height: int, width: int, channels: int, count: int) -> None:
    features = probe_features(noise(count, height, width, channels), seed=0, filters=6)
    assert features.dtype == np.float32
    assert features.shape[0] == count
    assert features.shape[1] % 12 == 0
    assert np.isfinite(features).all()
    assert (features >= 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_units_and_types_of_pixels_do_not_matter(dtype: type) -> None:
    pixels = noise(12, 20, 18, 3)
    assert np.allclose(
        probe_features(pixels.astype(dtype), seed=3), probe_features(pixels, seed=3), rtol=1e-3, atol=1e-4
    )
    assert np.allclose(
        probe_features(pixels.astype(np.float64) / 255, seed=3), probe_features(pixels, seed=3), rtol=1e-2, atol=1e-3
    )


def test_the_seed_decides_and_nothing_else() -> None:
    pixels = noise(40, 12, 12, 1)
    first = probe_features(pixels, seed=1)
    assert np.array_equal(first, probe_features(pixels, seed=1))
    assert not np.allclose(first, probe_features(pixels, seed=2))


def test_an_image_is_seen_alike_in_any_company() -> None:
    images = probe_images(noise(PIECE + 5, 10, 10, 1))
    probe = draw_probe(images, seed=0)
    assert torch.allclose(probe(images)[PIECE:], probe(images[PIECE:]), atol=1e-5)


def test_it_is_what_the_paper_says_position_by_position() -> None:
    """Patch by patch: filter response, both signs beyond the threshold, mean over the cells of the grid."""
    images = probe_images(noise(3, 6, 6, 2))
    probe = draw_probe(images, seed=0, filters=4)
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2), mode="replicate")
    expected = torch.zeros(3, 2, 4, 3, 3)
    for image in range(3):
        for y in range(6):
            for x in range(6):
                patch = padded[image, :, y : y + 5, x : x + 5]
                response = (probe.weight * patch).sum(dim=(1, 2, 3)) + probe.bias
                for sign in (0, 1):
                    beyond = ((1 - 2 * sign) * response - probe.threshold).clamp(min=0)
                    expected[image, sign, :, y // 2, x // 2] += beyond / 4
    assert torch.allclose(probe(images), expected.flatten(1), atol=1e-5)


def test_patches_are_white_where_the_filters_look() -> None:
    """Responses to filters have about one deviation: the filters are of length one in whitened space."""
    images = probe_images(np.random.default_rng(0).normal(size=(200, 16, 16, 1)))
    probe = draw_probe(images, seed=0)
    assert (2 * probe.threshold).mean() == pytest.approx((1 / 1.1) ** 0.5, rel=0.05)


def test_images_of_one_value_and_numbers_that_are_none_do_no_harm() -> None:
    assert np.isfinite(probe_features(np.full((5, 9, 9, 1), 7, np.uint8), seed=0)).all()
    broken = np.random.default_rng(0).normal(size=(6, 9, 9, 1))
    broken[2, 3, 4] = np.nan
    broken[3, 0, 0] = np.inf
    assert np.isfinite(probe_features(broken, seed=0)).all()
    assert np.isfinite(probe_features(np.full((2, 4, 4, 1), np.nan), seed=0)).all()


def test_large_and_long_images_are_made_small() -> None:
    assert probe_images(noise(2, 64, 48, 3)).shape == (2, 3, 21, SIDE)
    assert probe_images(noise(2, 8, 8, 1)).shape == (2, 1, 8, 8)
    assert probe_images(noise(1, 1, 500, 1)).shape == (1, 1, 1, 128)


@pytest.mark.parametrize("shape", [(0, 8, 8, 1), (4, 8, 8), (2, 0, 3, 1)])
def test_what_are_no_images_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must be"):
        probe_features(np.zeros(shape, np.uint8), seed=0)


def test_a_linear_model_on_it_beats_one_on_pixels() -> None:
    digits = load_digits()
    pixels = digits.images[..., None].astype(np.uint8)
    seen = probe_features(pixels, seed=0)
    reached = []
    for features in (seen, digits.data):
        model = RidgeClassifier(alpha=1.0).fit(features[:1200], digits.target[:1200])
        reached.append(model.score(features[1200:], digits.target[1200:]))
    assert reached[0] > reached[1] + 0.02
