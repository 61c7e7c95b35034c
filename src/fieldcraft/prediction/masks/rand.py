"""The foreground-restricted Rand score of membranes: are the cells that they part the right ones?

The measure of the ISBI 2012 challenge. Cells are the 2-D pieces (4-connected) between membranes. Membranes of the
prediction are thinned first, so that their width counts for nothing: each of their pixels falls to the nearest cell,
but for a line of one pixel where two cells meet. Only pixels that are cell in the truth count; those on a line of the
prediction count as pieces of one pixel.
Source: Arganda-Carreras et al. 2015, doi:10.3389/fnana.2015.00142, equations 3 to 5 and "border thinning". Theirs thins
by a skeleton, which also keeps lines that part nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, label
from scipy.sparse import coo_array

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.pair import Mask
from fieldcraft.prediction.metrics import Array

ALPHA = 0.5
"""Weight of split against merge: one half makes the score their harmonic mean."""
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""Of the probability of membrane, from 0.05 to 0.95."""
Pieces = npt.NDArray[np.int32]


@dataclass(frozen=True)
class RandScore:
    """All three from 0 to 1, 1 being best; NaN where the truth has no cell."""

    score: float
    split: float
    """Falls where cells of the truth are cut."""
    merge: float
    """Falls where they run together."""


@dataclass(frozen=True, eq=False)
class Membranes:
    """A case whose threshold is sought: (*spatial) where cells are, and the probability of membrane."""

    cells: Mask
    membrane: Array


def rand_score(true_cells: Mask, predicted_cells: Mask, alpha: float = ALPHA) -> RandScore:
    """V-Rand of a picture, and the mean over the slices (first axis) of a stack.

    A slice without a cell in the truth is left out; NaN where none is left.
    Shape: (y, x) or (slices, y, x), True inside cells.
    """
    if true_cells.ndim not in (2, 3) or true_cells.shape != predicted_cells.shape:
        raise DataError(
            "the Rand score takes two pictures, or two stacks, of one shape, "
            f"but got {true_cells.shape} and {predicted_cells.shape}."
        )
    if true_cells.ndim == 2:
        return _of_slice(true_cells, predicted_cells, alpha)
    slices = [_of_slice(*both, alpha) for both in zip(true_cells, predicted_cells, strict=True) if both[0].any()]
    return _mean(slices)


def thinned(cells: Mask) -> Pieces:
    """(y, x): the number of each pixel's cell, from 1; 0 on lines of one pixel between cells."""
    pieces, count = label(cells)
    if not count:
        return np.zeros(cells.shape, np.int32)
    nearest = distance_transform_edt(~cells, return_distances=False, return_indices=True)
    grown: Pieces = pieces[tuple(nearest)]
    line = np.zeros_like(cells)
    line[:-1] |= grown[:-1] != grown[1:]
    line[:, :-1] |= grown[:, :-1] != grown[:, 1:]
    return np.where(line & ~cells, 0, grown)


def best_threshold(cases: Sequence[Membranes], thresholds: Sequence[float] = THRESHOLDS) -> float:
    """The probability of membrane from which on a pixel is one: with the highest mean score over validation cases.

    Fixed there, it is used on test; of thresholds that tie, the one nearest to one half.
    """
    if not cases or not thresholds:
        raise DataError("a threshold needs at least one validation case and one value to try, but got none.")
    means = {one: _mean([rand_score(case.cells, case.membrane < one) for case in cases]).score for one in thresholds}
    return max(sorted(means, key=lambda one: abs(one - 0.5)), key=lambda one: np.nan_to_num(means[one], nan=-1.0))


def _of_slice(true_cells: Mask, predicted_cells: Mask, alpha: float) -> RandScore:
    total = int(true_cells.sum())
    if not total:
        return RandScore(score=float("nan"), split=float("nan"), merge=float("nan"))
    truth, predicted = label(true_cells)[0][true_cells], thinned(predicted_cells)[true_cells]
    on_line = int((predicted == 0).sum())
    inside = predicted > 0
    sides = (int(truth.max()) + 1, int(predicted.max()) + 1)
    joint = coo_array((np.ones(int(inside.sum())), (truth[inside], predicted[inside])), shape=sides).tocsr()
    together = _squares(joint.data) + on_line
    of_truth, of_predicted = _squares(np.bincount(truth)), _squares(np.bincount(predicted[inside])) + on_line
    return RandScore(
        score=together / (alpha * of_predicted + (1 - alpha) * of_truth),
        split=together / of_truth,
        merge=together / of_predicted,
    )


def _squares(counts: npt.NDArray[np.generic]) -> float:
    return float(np.square(counts.astype(np.float64)).sum())


def _mean(scores: Iterable[RandScore]) -> RandScore:
    table = np.array([(one.score, one.split, one.merge) for one in scores]).reshape(-1, 3)
    table = table[np.isfinite(table[:, 0])]
    score, split, merge = table.mean(axis=0) if len(table) else np.full(3, np.nan)
    return RandScore(score=float(score), split=float(split), merge=float(merge))
