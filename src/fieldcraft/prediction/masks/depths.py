"""Where mistakes lie: along a boundary of the truth, where people differ too, or away from any."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from fieldcraft.prediction.masks.pair import VOID, Labels, Mask, MaskPair

LAYERS = 5
"""Along the boundary, then one, two, three steps away from it, then all the rest."""
Counts = npt.NDArray[np.int64]


def boundaries(labels: Labels) -> Mask:
    """Voxels with a neighbour by a face of another class, on both sides; void parts nothing."""
    found = np.zeros(labels.shape, bool)
    for axis in range(labels.ndim):
        here: list[slice] = [slice(None)] * labels.ndim
        there = list(here)
        here[axis], there[axis] = slice(None, -1), slice(1, None)
        one, other = labels[tuple(here)], labels[tuple(there)]
        parted = (one != other) & (one != VOID) & (other != VOID)
        found[tuple(here)] |= parted
        found[tuple(there)] |= parted
    return found


def error_depths(pair: MaskPair, step_mm: float) -> Counts:
    """Wrong voxels of a case by layer, counted in steps from the nearest boundary of the truth.

    Shape: (LAYERS,). A truth without a boundary has all its mistakes in the last. Cost: a distance transform.
    """
    wrong = (pair.truth != pair.predicted) & (pair.truth != VOID)
    counts: Counts = np.zeros(LAYERS, np.int64)
    rims = boundaries(pair.truth)
    if not wrong.any():
        return counts
    if not rims.any():
        counts[-1] = wrong.sum()
        return counts
    far = distance_transform_edt(~rims, sampling=pair.spacing)[wrong]
    layer = np.ceil(far / step_mm - 1e-6).astype(np.int64).clip(0, LAYERS - 1)
    return counts + np.bincount(layer, minlength=LAYERS)
