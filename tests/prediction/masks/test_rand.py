"""The Rand score against counting pairs of pixels, and pictures whose score is known."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.rand import Membranes, best_threshold, rand_score, thinned

PICTURES = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6), elements=st.booleans())


def flood(cells):
    """Pieces by walking from neighbour to neighbour."""
    found, number = np.zeros(cells.shape, int), 0
    for start in map(tuple, np.argwhere(cells)):
        if found[start]:
            continue
        number, todo = number + 1, [start]
        while todo:
            y, x = todo.pop()
            if 0 <= y < cells.shape[0] and 0 <= x < cells.shape[1] and cells[y, x] and not found[y, x]:
                found[y, x] = number
                todo += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return found


def slow_scores(true_cells, predicted_pieces):
    """Shares of ordered pairs of pixels (a pixel pairs with itself) that are together."""
    truth, at = flood(true_cells), list(map(tuple, np.argwhere(true_cells)))
    lone = {one: -1 - number for number, one in enumerate(at)}
    piece = {one: predicted_pieces[one] or lone[one] for one in at}
    in_truth = in_predicted = in_both = 0
    for a, b in product(at, at):
        in_truth += truth[a] == truth[b]
        in_predicted += piece[a] == piece[b]
        in_both += truth[a] == truth[b] and piece[a] == piece[b]
    return 2 * in_both / (in_truth + in_predicted), in_both / in_truth, in_both / in_predicted


@given(PICTURES, st.integers(0, 1000))
@settings(max_examples=60)
def test_scores_are_shares_of_pairs(true_cells, seed):
    predicted = np.random.default_rng(seed).random(true_cells.shape) > 0.4
    found = rand_score(true_cells, predicted)
    if not true_cells.any():
        assert np.isnan(found.score)
        return
    score, split, merge = slow_scores(true_cells, thinned(predicted))
    assert (found.score, found.split, found.merge) == pytest.approx((score, split, merge))
    assert found.score == pytest.approx(2 * split * merge / (split + merge))


@given(PICTURES.filter(lambda cells: cells.any()))
def test_the_truth_itself_scores_one(cells):
    found = rand_score(cells, cells)
    assert (found.score, found.split, found.merge) == (1, 1, 1)


@given(PICTURES)
def test_thinning_keeps_every_cell_and_makes_lines_thin(cells):
    pieces, kept = flood(cells), thinned(cells)
    for number in range(1, pieces.max() + 1):
        inside = kept[pieces == number]
        assert inside[0] and (inside == inside[0]).all()
    assert len(np.unique(kept[kept > 0])) == pieces.max()
    if pieces.max():
        padded = np.pad(kept == 0, 1)
        blocks = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
        assert not blocks.all(axis=(-2, -1)).any()


def halves(width=1):
    cells = np.ones((40, 41), bool)
    cells[:, 20 - width // 2 : 20 + width // 2 + 1] = False
    return cells


def test_a_missing_wall_merges_and_a_wall_too_many_splits():
    whole = np.ones((40, 41), bool)
    missing, extra = rand_score(halves(), whole), rand_score(whole, halves())
    assert (missing.split, missing.merge) == (1.0, 0.5)
    assert missing.score == pytest.approx(2 / 3)
    assert extra.merge == pytest.approx(1.0)
    assert extra.split == pytest.approx((800**2 + 800**2 + 40) / 1640**2)


def test_the_width_of_membranes_counts_for_nothing():
    assert rand_score(halves(1), halves(9)).score == 1.0


def test_alpha_weighs_split_against_merge():
    whole = np.ones((40, 41), bool)
    assert rand_score(halves(), whole, alpha=0.0).score == 1.0
    assert rand_score(halves(), whole, alpha=1.0).score == 0.5


def test_a_stack_is_the_mean_of_its_slices():
    whole, empty = np.ones((40, 41), bool), np.zeros((40, 41), bool)
    truth, predicted = np.stack([halves(), halves(), empty]), np.stack([halves(), whole, whole])
    assert rand_score(truth, predicted).score == pytest.approx((1 + 2 / 3) / 2)
    assert np.isnan(rand_score(truth[2:], predicted[2:]).score)


def test_no_cell_predicted_is_all_split():
    found = rand_score(np.ones((4, 5), bool), np.zeros((4, 5), bool))
    assert found.merge == 1.0 and found.split == pytest.approx(20 / 400)


def test_pictures_that_do_not_fit_are_told():
    with pytest.raises(DataError, match="of one shape"):
        rand_score(np.ones((3, 3), bool), np.ones((3, 4), bool))
    with pytest.raises(DataError, match="two pictures"):
        rand_score(np.ones(3, bool), np.ones(3, bool))


def test_the_threshold_that_closes_the_wall_is_found():
    membrane = np.full((40, 41), 0.02)
    membrane[:, 20] = 0.9
    membrane[7, 20] = 0.3  # a gap above this threshold
    membrane[20] = np.maximum(membrane[20], 0.15)  # a wall that is none below this one
    found = best_threshold([Membranes(halves(), membrane)])
    assert 0.15 < found <= 0.3
    with pytest.raises(DataError, match="at least one validation case"):
        best_threshold([])


def test_a_tie_goes_to_one_half():
    assert best_threshold([Membranes(halves(), np.where(halves(), 0.0, 1.0))]) == 0.5


def test_real_membranes(real_data):
    folder = real_data / "isbi2012_membrane" / "train" / "label"
    if not folder.is_dir():
        pytest.skip("the ISBI 2012 membranes are not here")
    cells = np.asarray(Image.open(folder / "0.png").convert("L")) > 127
    assert rand_score(cells, cells).score == 1.0
    open_wall, cut = cells.copy(), cells.copy()
    open_wall[200:260, 200:260] = True
    cut[256] = False
    assert rand_score(cells, open_wall).merge < 0.99 < rand_score(cells, open_wall).split
    assert rand_score(cells, cut).split < 0.95 and rand_score(cells, cut).merge == 1
