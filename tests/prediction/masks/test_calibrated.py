"""Voxels are drawn by the rule, and the temperature that made the labels is found."""

import numpy as np
import pytest
from scipy.special import softmax

from fieldcraft.errors import DataError
from fieldcraft.prediction.calibration import fit_temperature, reliability
from fieldcraft.prediction.masks.calibrated import calibrate_voxels, drawn_voxels
from fieldcraft.prediction.masks.pair import VOID


def case(seed, sides=(20, 20, 20), bold=3.0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (3, *sides))
    logits[0] += 2
    truth = (softmax(logits, axis=0).cumsum(axis=0) > rng.random(sides)).argmax(axis=0)
    return (bold * logits).astype(np.float32), truth


def test_over_confident_voxels_are_mended():
    fitted, measured = (drawn_voxels([case(one), case(one + 1)], 2) for one in (0, 2))
    found = calibrate_voxels(fitted, measured)
    assert found.temperature == pytest.approx(3.0, rel=0.1)
    assert found.after.ece < 0.2 * found.before.ece
    assert found.contested_after.ece < 0.2 * found.contested_before.ece
    assert sum(found.contested_before.counts) < found.measured_voxels == 16_000


def test_it_is_the_calibration_of_all_voxels_where_all_are_drawn():
    logits, truth = case(0)
    voxels = drawn_voxels([(logits, truth)], 1)
    flat = logits.reshape(3, -1).T.astype(float)
    found = calibrate_voxels(voxels, voxels)
    assert found.temperature == pytest.approx(fit_temperature(flat, truth.ravel(), "single-label"), rel=1e-3)
    assert found.before.ece == pytest.approx(reliability(softmax(flat, axis=1), truth.ravel()).ece)


def test_each_case_gives_as_many_voxels_and_void_none():
    small, large = case(0, (10, 10, 10)), case(1, (30, 30, 30))
    truth = small[1].copy()
    truth[:9] = VOID
    found = drawn_voxels([(small[0], truth), large], 2, most=400)
    assert len(found.truth) == 100 + 200 and found.truth.min() >= 0
    again = drawn_voxels([(small[0], truth), large], 2, most=400)
    np.testing.assert_array_equal(found.logits, again.logits)


def test_no_contested_voxel_and_no_voxel_at_all():
    logits = np.zeros((2, 5, 5), np.float32)
    logits[0] = 20
    sure = drawn_voxels([(logits, np.zeros((5, 5), int))], 1)
    assert calibrate_voxels(sure, sure).contested_before is None
    with pytest.raises(DataError, match="have none"):
        drawn_voxels([(logits, np.full((5, 5), VOID))], 1)
