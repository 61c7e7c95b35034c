"""One measure of each class of a case: what candidates are judged by, and what trials of a proof are scored by."""

from typing import assert_never

import numpy as np

from fieldcraft.prediction.masks.class_boundary import ClassBoundary
from fieldcraft.prediction.masks.overlap import confusion, dice, iou
from fieldcraft.prediction.masks.pair import MaskPair
from fieldcraft.prediction.metrics import Array
from fieldcraft.records.masks import MaskMetric

LESS_IS_BETTER: frozenset[str] = frozenset({"hd95_mm"})


def by_class(metric: MaskMetric, pair: MaskPair, classes: int) -> Array:
    """(classes - 1,): of each class but the background; NaN where it is neither in the truth nor in the prediction.

    Tolerance and width of the rim are those of `ScoreSettings` where nothing is said.
    """
    boundaries = [ClassBoundary(pair, one) for one in range(1, classes)]
    match metric:
        case "dice":
            return dice(confusion(pair, classes))[1:]
        case "iou":
            return iou(confusion(pair, classes))[1:]
        case "hd95_mm":
            return np.array([one.hd95_mm for one in boundaries])
        case "surface_dice":
            return np.array([one.surface_dice for one in boundaries])
        case "boundary_iou":
            return np.array([one.boundary_iou for one in boundaries])
        case _:
            assert_never(metric)


def mean_over_classes(found: Array) -> Array:
    """Of a table (cases, classes) the mean over the classes that a case has; cases without any are left out."""
    some = ~np.isnan(found).all(axis=1)
    means: Array = np.nanmean(found[some], axis=1)
    return means


def value_of(found: Array) -> float:
    """Mean over cases of the mean over the classes that a case has; NaN where no case has any."""
    means = mean_over_classes(found)
    return float(means.mean()) if len(means) else float("nan")
