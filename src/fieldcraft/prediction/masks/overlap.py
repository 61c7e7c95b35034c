"""Overlap of masks from one table of counts: Dice, intersection over union, pixel accuracy.

Sources: Dice 1945; Jaccard 1912; Taha & Hanbury 2015, doi:10.1186/s12880-015-0068-x, section 2 (all from these counts).
"""

import numpy as np
import numpy.typing as npt

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.pair import VOID, MaskPair
from fieldcraft.prediction.metrics import Array

Confusion = npt.NDArray[np.int64]
"""(classes, classes): voxels by true class (rows) and predicted class (columns)."""


def confusion(pair: MaskPair, classes: int) -> Confusion:
    """Voxels by true and predicted class; void voxels are not counted.

    Raises: DataError for a class id that is not below `classes`.
    """
    truth, predicted = pair.truth.ravel(), pair.predicted.ravel()
    if (truth == VOID).any():
        known = truth != VOID
        truth, predicted = truth[known], predicted[known]
    for what, ids in (("truth", truth), ("prediction", predicted)):
        if ids.size and (highest := int(ids.max())) >= classes:
            raise DataError(
                f"{pair.name}: class ids of the {what} must be below {classes}, the number of classes, "
                f"but got {highest}."
            )
    code = truth.astype(np.intp) * classes + predicted
    return np.bincount(code, minlength=classes * classes).reshape(classes, classes)


def dice(counts: Confusion) -> Array:
    """2 |A and B| / (|A| + |B|) of each class: 0 where one of both is empty, NaN where both are (nothing to score).

    Hurts: small objects, where one voxel moves it much; it sees no boundary.
    """
    return _share(2 * np.diag(counts), counts.sum(axis=0) + counts.sum(axis=1))


def iou(counts: Confusion) -> Array:
    """|A and B| / |A or B| of each class (Jaccard): Dice / (2 - Dice); 0 and NaN as there."""
    both = np.diag(counts)
    return _share(both, counts.sum(axis=0) + counts.sum(axis=1) - both)


def pixel_accuracy(counts: Confusion) -> float:
    """Share of the voxels that got their class; NaN where all are void. Hurts: it is high for all background."""
    total = counts.sum()
    return float(np.trace(counts) / total) if total else float("nan")


def _share(part: Confusion, whole: Confusion) -> Array:
    found: Array = np.full(len(whole), np.nan)
    np.divide(part, whole, out=found, where=whole > 0)
    return found
