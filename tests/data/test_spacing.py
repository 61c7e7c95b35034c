import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import center_of_mass

from fieldcraft.data.spacing import nearest, orders_for, resampled, resampled_mask, shape_at

ORDERS = (0, 1, 3)


def smooth(*sides: int) -> np.ndarray:
    axes = np.meshgrid(*((np.arange(side) + 0.5) / side for side in sides), indexing="ij")
    return np.stack([np.cos(np.pi * sum(axes)), np.prod(axes, axis=0)]).astype(np.float32)


def ball(*sides: int, radius: float = 0.3) -> np.ndarray:
    axes = np.meshgrid(*((np.arange(side) + 0.5) / side - 0.5 for side in sides), indexing="ij")
    mask = (sum(axis**2 for axis in axes) < radius**2).astype(np.int16)
    mask[axes[0] > 0] *= 2
    mask[..., 0] = -1
    return mask


def test_shapes_cover_the_same_space() -> None:
    assert shape_at((512, 512, 60), (0.7, 0.7, 5.0), (1.0, 1.0, 2.5)) == (358, 358, 120)
    assert shape_at((3,), (1.0,), (100.0,)) == (1,)
    with pytest.raises(ValueError, match="above 0"):
        shape_at((3,), (0.0,), (1.0,))
    with pytest.raises(ValueError, match="one number an axis"):
        shape_at((3, 3), (1.0,), (1.0,))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("sides", [(30,), (12, 17), (8, 9, 10)])
def test_the_same_grid_is_the_identity(order, sides) -> None:
    image = smooth(*sides)
    assert np.array_equal(resampled(image, sides, (order,) * len(sides)), image)
    mask = ball(*sides)
    assert np.array_equal(resampled_mask(mask, sides), mask)


@given(order=st.sampled_from(ORDERS), sides=st.lists(st.integers(1, 12), min_size=1, max_size=3), data=st.data())
def test_flat_images_stay_flat(order, sides, data) -> None:
    shape = tuple(data.draw(st.integers(1, 20)) for _ in sides)
    found = resampled(np.full((1, *sides), 3.5), shape, (order,) * len(sides))
    assert found.shape == (1, *shape) and found.dtype == np.float32
    np.testing.assert_allclose(found, 3.5, atol=1e-4)


@pytest.mark.parametrize(("order", "tolerance"), [(1, 0.02), (3, 0.012)])
@pytest.mark.parametrize("shape", [(40, 50), (31, 23), (20, 90)])
def test_images_are_what_they_are_sampled_from(order, tolerance, shape) -> None:
    """The same function on another grid of the same space, up to the border, where nothing is known beyond."""
    found = resampled(smooth(40, 36), shape, (order, order))
    wrong = np.abs(found - smooth(*shape))[:, 2:-2, 2:-2]
    assert wrong.max() < tolerance


def test_splines_are_closer_than_lines_inside() -> None:
    image, finer = smooth(12, 12), smooth(36, 36)
    lines, splines = (np.abs(resampled(image, (36, 36), (order,) * 2) - finer)[:, 9:-9, 9:-9].max() for order in (1, 3))
    assert splines < lines / 4


def test_there_and_back_is_the_grid_that_it_came_on() -> None:
    image = smooth(35, 51, 36)
    there = resampled(image, shape_at(image.shape[1:], (1.0, 1.0, 1.0), (0.7, 0.8, 0.9)), (3, 3, 3))
    back = resampled(there, image.shape[1:], (1, 1, 1))
    assert back.shape == image.shape
    assert np.abs(back - image).max() < 0.05 and np.abs((back - image).mean()) < 1e-3


@pytest.mark.parametrize("smoothly", [True, False])
def test_masks_neither_drift_nor_invent_classes(smoothly) -> None:
    mask = ball(30, 24, 20)
    finer = resampled_mask(mask, (52, 50, 30), smooth=smoothly)
    assert finer.dtype == mask.dtype and set(np.unique(finer)) == {-1, 0, 1, 2}
    for label in (1, 2):
        ratio = (finer == label).mean() / (mask == label).mean()
        assert abs(ratio - 1) < 0.05
        before, after = (np.array(center_of_mass(one == label)) + 0.5 for one in (mask, finer))
        tolerance = 0.2 if smoothly else 0.5  # voxels: the nearest breaks ties one way
        assert (np.abs(after - before / mask.shape * finer.shape) < tolerance).all()
    back = resampled_mask(finer, mask.shape, smooth=smoothly)
    inner = (back == mask).mean()
    assert inner > 0.97


@given(side=st.integers(1, 9), factor=st.integers(1, 4))
def test_whole_factors_of_nearest_repeat_and_come_back_exactly(side, factor) -> None:
    mask = np.random.default_rng(side).integers(-1, 5, (side, side))
    finer = resampled_mask(mask, (side * factor, side), smooth=False)
    assert np.array_equal(finer, mask.repeat(factor, axis=0))
    assert np.array_equal(nearest(finer, mask.shape), mask)


def test_smooth_masks_have_fewer_stairs() -> None:
    """Slanted edges, sampled coarsely: where each class is linear, more voxels come out right."""
    wrong = {True: 0.0, False: 0.0}
    for slope in (0.3, 0.7, 1.1, 1.5, 1.9):
        fine, coarse = np.arange(80) + 0.5, np.arange(20) * 4 + 2
        truth = np.add.outer(fine, slope * fine) > 60
        mask = (np.add.outer(coarse, slope * coarse) > 60).astype(np.int8)
        for how in wrong:
            wrong[how] += float((resampled_mask(mask, (80, 80), smooth=how) != truth).mean())
    assert wrong[True] < 0.85 * wrong[False]


def test_probabilities_still_sum_to_one() -> None:
    logits = np.random.default_rng(0).normal(0, 2, (4, 9, 8, 7))
    shares = np.exp(logits) / np.exp(logits).sum(0)
    for shape in ((18, 5, 11), (3, 3, 3)):
        found = resampled(shares, shape, (1, 1, 1))
        np.testing.assert_allclose(found.sum(0), 1, atol=1e-5)
        assert found.min() >= 0


def test_shrinking_does_not_alias() -> None:
    stripes = np.tile(np.array([0.0, 1.0], np.float32), 60)[None]
    found = resampled(stripes, (17,), (1,))[0]
    assert np.abs(found - 0.5).max() < 0.1


def test_thick_slices_are_joined_by_lines() -> None:
    assert orders_for((1.0, 1.0, 5.0)) == (3, 3, 1)
    assert orders_for((1.0, 1.2, 0.9)) == (3, 3, 3)
    assert orders_for((5.0, 1.0), 0) == (0, 0)
    step = np.repeat([0.0, 1.0], 4).astype(np.float32)[None]
    assert resampled(step, (40,), (1,)).max() <= 1 < resampled(step, (40,), (3,)).max()
    assert np.array_equal(resampled(step[:, :, None], (40, 1), (1, 3))[:, :, 0], resampled(step, (40,), (1,)))
