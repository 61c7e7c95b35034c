"""Dice, IoU and accuracy against counting voxel by voxel, and what a pair of masks must be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.overlap import confusion, dice, iou, pixel_accuracy
from fieldcraft.prediction.masks.pair import VOID, MaskPair, box, diagonal


def pair(truth, predicted, spacing=None, name="case"):
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    return MaskPair(name=name, truth=truth, predicted=predicted, spacing=spacing or (1.0,) * truth.ndim)


@st.composite
def pairs(draw, classes=3, void=True):
    shape = draw(array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=5))
    truth = draw(arrays(np.int16, shape, elements=st.integers(VOID if void else 0, classes - 1)))
    predicted = draw(arrays(np.int16, shape, elements=st.integers(0, classes - 1)))
    return pair(truth, predicted)


def slow(both, one):
    truth = {tuple(at) for at in np.argwhere(both.truth == one)}
    known = {tuple(at) for at in np.argwhere(both.truth != VOID)}
    predicted = {tuple(at) for at in np.argwhere(both.predicted == one)} & known
    return truth, predicted


@given(pairs())
def test_shares_are_those_of_sets_of_voxels(both):
    counts = confusion(both, 3)
    for one in range(3):
        truth, predicted = slow(both, one)
        if not truth and not predicted:
            assert np.isnan(dice(counts)[one]) and np.isnan(iou(counts)[one])
        else:
            assert dice(counts)[one] == pytest.approx(2 * len(truth & predicted) / (len(truth) + len(predicted)))
            assert iou(counts)[one] == pytest.approx(len(truth & predicted) / len(truth | predicted))
    known = both.truth != VOID
    if known.any():
        assert pixel_accuracy(counts) == pytest.approx((both.truth == both.predicted)[known].mean())
    else:
        assert np.isnan(pixel_accuracy(counts))


@given(pairs(void=False))
def test_swapping_truth_and_prediction_changes_no_share(both):
    forth = confusion(both, 3)
    back = confusion(pair(both.predicted, both.truth), 3)
    np.testing.assert_array_equal(back, forth.T)
    np.testing.assert_array_equal(dice(back), dice(forth))
    np.testing.assert_allclose(dice(forth), 2 * iou(forth) / (1 + iou(forth)))


def test_one_empty_gives_nought_and_both_empty_nothing():
    counts = confusion(pair([[1, 0], [0, 0]], [[0, 2], [0, 0]]), 4)
    np.testing.assert_array_equal(dice(counts)[1:], [0, 0, np.nan])
    np.testing.assert_array_equal(iou(counts)[1:], [0, 0, np.nan])


@pytest.mark.parametrize(
    ("truth", "predicted", "spacing", "message"),
    [
        (np.zeros((3, 4), int), np.zeros((4, 3), int), (1.0, 1.0), r"same shape, but got \(3, 4\) and \(4, 3\)"),
        (np.zeros((0, 4), int), np.zeros((0, 4), int), (1.0, 1.0), "must have voxels"),
        (np.zeros((3, 4), int), np.zeros((3, 4), int), (1.0,), "2 distances above 0"),
        (np.zeros((3, 4), int), np.zeros((3, 4), int), (1.0, 0.0), "above 0"),
        (np.zeros((3, 4), int), np.zeros((3, 4), int), (1.0, float("nan")), "above 0"),
        (np.zeros((3, 4)), np.zeros((3, 4), int), (1.0, 1.0), "truth must hold class ids"),
        (np.full((3, 4), -2), np.zeros((3, 4), int), (1.0, 1.0), "truth must be -1 or more, but got -2"),
        (np.zeros((3, 4), int), np.full((3, 4), -1), (1.0, 1.0), "prediction must be 0 or more"),
    ],
)
def test_what_does_not_fit_together_is_told(truth, predicted, spacing, message):
    with pytest.raises(DataError, match=rf"patient-7: .*{message}"):
        MaskPair(name="patient-7", truth=truth, predicted=predicted, spacing=spacing)


def test_a_class_without_a_place_is_told():
    with pytest.raises(DataError, match=r"prediction must be below 2.*but got 5"):
        confusion(pair([[0, 1]], [[0, 5]]), 2)


def test_the_box_is_the_smallest_and_stays_inside():
    mask = np.zeros((5, 6, 7), bool)
    mask[1:3, 2, 4:7] = True
    assert mask[box(mask)].shape == (2, 1, 3) and mask[box(mask)].sum() == mask.sum()
    assert mask[box(mask, 2)].shape == (5, 5, 5)
    assert mask[box(~mask)].shape == mask.shape == np.zeros((5, 6, 7), bool)[box(mask & False)].shape
    assert diagonal((4, 5), (1.0, 1.0)) == 5.0
