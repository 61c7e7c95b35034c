"""Distances of surfaces against comparing every pair of surface voxels, MONAI's, and shifts by known distances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fieldcraft.prediction.masks.boundary import boundary_iou, rim, rim_width
from fieldcraft.prediction.masks.pair import diagonal
from fieldcraft.prediction.masks.surface import hd95, surface, surface_dice, surface_distances

SPACINGS = st.sampled_from([0.5, 1.0, 1.7, 3.0])


@st.composite
def cases(draw):
    shape = draw(array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6))
    spacing = tuple(draw(SPACINGS) for _ in shape)
    masks = [draw(arrays(bool, shape)) for _ in range(2)]
    return (*masks, spacing)


def outside(mask, at):
    return any(not 0 <= i < side for i, side in zip(at, mask.shape, strict=True)) or not mask[at]


def slow_surface(mask):
    found = []
    for at in map(tuple, np.argwhere(mask)):
        steps = [(axis, way) for axis in range(mask.ndim) for way in (-1, 1)]
        beside = [tuple(i + way * (k == axis) for k, i in enumerate(at)) for axis, way in steps]
        if any(outside(mask, one) for one in beside):
            found.append(at)
    return np.array(found).reshape(-1, mask.ndim)


def slow_distances(a, b, spacing):
    return np.array([min(np.linalg.norm((one - other) * spacing) for other in b) for one in a])


@given(cases())
@settings(max_examples=60)
def test_distances_are_those_between_all_pairs(case):
    truth, predicted, spacing = case
    found = surface_distances(truth, predicted, spacing)
    a, b = slow_surface(truth), slow_surface(predicted)
    assert surface(truth).sum() == len(a)
    if not len(a) and not len(b):
        assert np.isnan(hd95(found)) and np.isnan(surface_dice(found, 1.0))
    elif not len(a) or not len(b):
        assert hd95(found) == diagonal(truth.shape, spacing) and surface_dice(found, 1e9) == 0
    else:
        forth, back = slow_distances(a, b, spacing), slow_distances(b, a, spacing)
        np.testing.assert_allclose(np.sort(found.from_truth), np.sort(forth), atol=1e-9)
        assert hd95(found) == pytest.approx(max(np.percentile(forth, 95), np.percentile(back, 95)))
        near = (forth <= 1.1).sum() + (back <= 1.1).sum()
        assert surface_dice(found, 1.1) == pytest.approx(near / (len(a) + len(b)))


@given(cases())
@settings(max_examples=40)
def test_swapping_the_masks_changes_nothing(case):
    truth, predicted, spacing = case
    forth, back = surface_distances(truth, predicted, spacing), surface_distances(predicted, truth, spacing)
    np.testing.assert_equal(hd95(forth), hd95(back))
    np.testing.assert_equal(surface_dice(forth, 1.0), surface_dice(back, 1.0))
    width = rim_width(truth.shape, spacing)
    np.testing.assert_equal(
        boundary_iou(truth, predicted, width, spacing), boundary_iou(predicted, truth, width, spacing)
    )


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_plate_that_is_shifted_is_as_far_as_it_was_shifted(steps):
    truth = np.zeros((12, 9, 9), bool)
    truth[3] = True
    distances = surface_distances(truth, np.roll(truth, steps, 0), (2.5, 1.0, 1.0))
    assert hd95(distances) == 2.5 * steps
    assert surface_dice(distances, 2.5 * steps) == 1 and surface_dice(distances, 2.5 * steps - 0.01) == 0


def test_a_perfect_mask_is_perfect():
    mask = np.random.default_rng(0).random((8, 9)) > 0.5
    distances = surface_distances(mask, mask, (1.0, 2.0))
    assert (hd95(distances), surface_dice(distances, 0.0), boundary_iou(mask, mask, 1.0, (1.0, 2.0))) == (0, 1, 1)


# ---------------------------------------------------------------- rims


def slow_rim(mask, width, spacing):
    reach = [int(width / one) + 1 for one in spacing]
    padded = np.pad(mask, [(one, one) for one in reach])
    holes = np.argwhere(~padded)
    found = np.zeros_like(mask)
    for at in map(tuple, np.argwhere(mask)):
        moved = np.add(at, reach)
        found[at] = (np.linalg.norm((holes - moved) * spacing, axis=1) <= width).any()
    return found


@given(cases(), st.sampled_from([0.6, 1.0, 2.2, 4.0]))
@settings(max_examples=60)
def test_a_rim_is_what_is_near_the_outside(case, width):
    mask, other, spacing = case
    np.testing.assert_array_equal(rim(mask, width, spacing), slow_rim(mask, width, spacing))
    both = slow_rim(mask, width, spacing), slow_rim(other, width, spacing)
    either = (both[0] | both[1]).sum()
    expected = (both[0] & both[1]).sum() / either if either else np.nan
    np.testing.assert_equal(boundary_iou(mask, other, width, spacing), expected)


def test_large_objects_do_not_hide_their_boundary():
    truth = np.zeros((100, 100), bool)
    truth[10:90, 10:90] = True
    predicted = np.roll(truth, 2, 0)
    plain = (truth & predicted).sum() / (truth | predicted).sum()
    of_rim = boundary_iou(truth, predicted, rim_width(truth.shape, (1.0, 1.0)), (1.0, 1.0))
    assert plain > 0.95 and of_rim < 0.45
    assert boundary_iou(truth, predicted, 1000.0, (1.0, 1.0)) == pytest.approx(plain)
