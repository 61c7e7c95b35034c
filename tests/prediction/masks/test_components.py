"""Pieces that are dropped, kept and filled, and which rule validation picks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.components import filtered, fit_components, piece_volumes
from fieldcraft.prediction.masks.pair import MaskPair
from fieldcraft.records.masks import ComponentRule

MASKS = arrays(np.int16, array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6), elements=st.integers(0, 2))


def rule(**settings):
    return ComponentRule(class_id=1, **settings)


def test_the_largest_piece_stays_and_other_classes_are_not_touched():
    mask = np.array([[1, 1, 0, 1], [1, 0, 2, 0], [0, 0, 0, 2], [1, 0, 2, 2]])
    found = filtered(mask, [rule(largest_only=True)], (1.0, 1.0))
    np.testing.assert_array_equal(found, [[1, 1, 0, 0], [1, 0, 2, 0], [0, 0, 0, 2], [0, 0, 2, 2]])


def test_pieces_that_touch_by_a_corner_are_one():
    mask = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_array_equal(filtered(mask, [rule(largest_only=True)], (1.0, 1.0)), mask)


def test_limits_are_volumes_in_mm():
    mask = np.zeros((6, 6), int)
    mask[0, :2], mask[3, :4] = 1, 1
    assert sorted(piece_volumes(mask == 1, (2.0, 0.5))) == [2.0, 4.0]
    np.testing.assert_array_equal(filtered(mask, [rule(least_mm=2.0)], (2.0, 0.5)), mask)
    assert (filtered(mask, [rule(least_mm=2.1)], (2.0, 0.5)) == 1).sum() == 4
    assert not filtered(mask, [rule(least_mm=5.0)], (2.0, 0.5)).any()


def test_holes_are_filled_with_background_alone():
    mask = np.ones((5, 7), int)
    mask[2, 2], mask[2, 4] = 0, 2
    mask[0, 0] = 0  # open to the outside
    found = filtered(mask, [rule(fill_holes=True)], (1.0, 1.0))
    assert found[2, 2] == 1 and found[2, 4] == 2 and found[0, 0] == 0


@given(MASKS)
def test_rules_only_move_between_a_class_and_background_and_doing_it_twice_adds_nothing(mask):
    spacing, before = (1.0,) * mask.ndim, mask.copy()
    for rules in ([rule(largest_only=True)], [rule(least_mm=2.0)], [rule(fill_holes=True, largest_only=True)], []):
        found = filtered(mask, rules, spacing)
        np.testing.assert_array_equal(mask, before)
        np.testing.assert_array_equal(found == 2, mask == 2)
        np.testing.assert_array_equal(filtered(found, rules, spacing), found)
    assert len(piece_volumes(filtered(mask, [rule(largest_only=True)], spacing) == 1, spacing)) <= 1


def organ(seed, specks):
    rng = np.random.default_rng(seed)
    truth = np.zeros((30, 30), int)
    truth[8:20, 8:20] = 1
    predicted = np.roll(truth, int(rng.integers(-1, 2)), 0)
    for _ in range(specks):
        y, x = rng.integers(0, 5, 2)
        predicted[y, x] = 1
    return MaskPair(name=f"case {seed}", truth=truth, predicted=predicted, spacing=(1.0, 1.0))


def lesions(seed):
    truth = np.zeros((30, 30), int)
    for at in np.random.default_rng(seed).choice(36, 5, replace=False):
        y, x = divmod(int(at), 6)
        truth[5 * y + 1 : 5 * y + 4, 5 * x + 1 : 5 * x + 4] = 1
    return MaskPair(name=f"case {seed}", truth=truth, predicted=truth, spacing=(1.0, 1.0))


def test_specks_beside_an_organ_are_dropped():
    pairs = [organ(seed, 5) for seed in range(10)]
    rules, said = fit_components(pairs, 2)
    assert len(rules) == 1 and said[0].kept
    for pair in pairs:
        assert len(piece_volumes(filtered(pair.predicted, rules, pair.spacing) == 1, pair.spacing)) == 1


def test_lesions_and_clean_masks_are_left_alone():
    for pairs in ([lesions(seed) for seed in range(8)], [organ(seed, 0) for seed in range(8)]):
        rules, said = fit_components(pairs, 3)
        assert rules == () and len(said) == 1 and not said[0].kept  # there is no class 2 to seek a rule for
    with pytest.raises(DataError, match="validation cases"):
        fit_components([], 2)
