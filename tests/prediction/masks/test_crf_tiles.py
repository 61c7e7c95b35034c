"""Tiles give what the whole gives."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import softmax

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.crf_tiles import tiled_marginals
from fieldcraft.prediction.masks.dense_crf import marginals
from fieldcraft.records.masks import DenseCrf


def scene(sides, seed=0):
    rng = np.random.default_rng(seed)
    image = gaussian_filter(rng.normal(size=sides), 2)
    image = image / image.std() + np.linspace(0, 3, sides[0]).reshape(-1, *(1,) * (len(sides) - 1))
    logits = rng.normal(size=(2, *sides)) + np.stack([-image, image])
    return logits.astype(np.float32), image[None].astype(np.float32)


def test_one_tile_is_the_whole():
    logits, image = scene((20, 22))
    whole = marginals(logits, image, (1.0, 1.0))
    np.testing.assert_array_equal(tiled_marginals(logits, image, (1.0, 1.0)), whole)


@pytest.mark.parametrize(
    ("sides", "spacing", "most"), [((90, 70), (1.0, 1.0), 2500), ((30, 28, 20), (1.0, 1.0, 2.0), 9000)]
)
def test_several_tiles_are_nearly_the_whole(sides, spacing, most):
    logits, image = scene(sides)
    crf = DenseCrf(near_mm=2.0, smooth_mm=1.0)
    whole, tiles = marginals(logits, image, spacing, crf), tiled_marginals(logits, image, spacing, crf, most)
    assert np.isfinite(tiles).all() and (tiles != whole).any()
    assert np.abs(tiles - whole).mean() < 0.005
    assert np.abs(whole - softmax(logits, axis=0)).mean() > 0.03


def test_without_weights_every_tile_is_the_softmax():
    logits, image = scene((50, 40))
    nothing = DenseCrf(smooth_weight=0.0, near_weight=0.0, near_mm=1.0)
    found = tiled_marginals(logits, image, (1.0, 1.0), nothing, 300)
    np.testing.assert_allclose(found, softmax(logits, axis=0), rtol=1e-6)


def test_a_spacing_that_does_not_fit_is_told():
    with pytest.raises(DataError, match="spacing must be 2 distances"):
        tiled_marginals(*scene((50, 40)), (1.0,), most_voxels=300)
