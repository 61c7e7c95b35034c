"""How far apart two surfaces are: the 95th percentile of the Hausdorff distance, and the share within a tolerance.

A surface is the voxels of a mask that have a neighbour (by a face) outside it; what lies outside the array is outside.
Distances are between centres of voxels, in mm. The same surfaces and percentiles as MONAI's.
Sources: Huttenlocher et al. 1993 (Hausdorff); Nikolov et al. 2018, arXiv:1809.04430 (normalised surface distance, also
called surface Dice); Maier-Hein et al. 2024, doi:10.1038/s41592-023-02151-z, on what to give when a mask is empty.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt

from fieldcraft.prediction.masks.pair import Mask, Spacing, box, diagonal
from fieldcraft.prediction.metrics import Array


@dataclass(frozen=True)
class SurfaceDistances:
    """Of each surface voxel to the nearest one of the other surface, in mm."""

    from_truth: Array
    from_predicted: Array
    worst: float
    """No two voxels of the case are farther apart: the diagonal of the array, in mm."""


def surface(mask: Mask) -> Mask:
    """The voxels of a mask with a neighbour by a face that is not in it."""
    found: Mask = mask & ~binary_erosion(mask)
    return found


def surface_distances(truth: Mask, predicted: Mask, spacing: Spacing) -> SurfaceDistances:
    """Distances both ways; one of two masks being empty, those of the other are the diagonal of the array.

    Cost: two distance transforms of the box around both masks.
    """
    worst = diagonal(truth.shape, spacing)
    around = box(truth | predicted, margin=1)
    there, found = surface(truth[around]), surface(predicted[around])
    return SurfaceDistances(
        from_truth=_nearest(there, found, spacing, worst),
        from_predicted=_nearest(found, there, spacing, worst),
        worst=worst,
    )


def hd95(distances: SurfaceDistances) -> float:
    """The larger of both ways' 95th percentiles, in mm.

    NaN where both masks are empty. Where one is: the diagonal of the array, so that a missed object costs as much as
    the farthest mistake and a mean stays finite. Hurts: small objects, whose 95th percentile is their maximum.
    """
    if not len(distances.from_truth) and not len(distances.from_predicted):
        return float("nan")
    if not len(distances.from_truth) or not len(distances.from_predicted):
        return distances.worst
    return float(max(np.percentile(distances.from_truth, 95), np.percentile(distances.from_predicted, 95)))


def surface_dice(distances: SurfaceDistances, tolerance_mm: float) -> float:
    """Share of both surfaces that is within the tolerance of the other; 1 is best.

    NaN where both masks are empty, 0 where one is. Hurts: a tolerance below the spacing.
    """
    count = len(distances.from_truth) + len(distances.from_predicted)
    if not count:
        return float("nan")
    if not len(distances.from_truth) or not len(distances.from_predicted):
        return 0.0
    return float(
        ((distances.from_truth <= tolerance_mm).sum() + (distances.from_predicted <= tolerance_mm).sum()) / count
    )


def _nearest(of: Mask, to: Mask, spacing: Spacing, worst: float) -> Array:
    if not of.any():
        return np.zeros(0)
    if not to.any():
        return np.full(int(of.sum()), worst)
    found: Array = distance_transform_edt(~to, sampling=spacing)[of]
    return found
