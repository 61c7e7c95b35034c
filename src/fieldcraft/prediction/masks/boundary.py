"""Boundary IoU: overlap of the inner rims of two masks, which large objects cannot hide.

Source: Cheng et al. 2021, arXiv:2103.16562, equation 2. The rim is by Euclidean distance in mm here, so that it is as
wide along each axis of anisotropic volumes; the authors' code erodes by squares.
"""

import numpy as np
from scipy.ndimage import distance_transform_edt

from fieldcraft.prediction.masks.pair import Mask, Spacing, box, diagonal

SHARE = 0.02
"""Of the diagonal: the width of the rim, as in the paper for its larger sets."""


def rim_width(shape: tuple[int, ...], spacing: Spacing) -> float:
    """2 % of the diagonal of the array, at least the distance of neighbours along the coarsest axis; in mm."""
    return max(SHARE * diagonal(shape, spacing), *spacing)


def rim(mask: Mask, width_mm: float, spacing: Spacing) -> Mask:
    """The voxels of a mask that are at most this far from one outside; what lies outside the array is outside."""
    found = np.zeros_like(mask)
    if mask.any():
        around = box(mask)
        inside = np.pad(mask[around], 1)
        depth = distance_transform_edt(inside, sampling=spacing)
        found[around] = (inside & (depth <= width_mm))[(slice(1, -1),) * mask.ndim]
    return found


def boundary_iou(truth: Mask, predicted: Mask, width_mm: float, spacing: Spacing) -> float:
    """|rim of A and rim of B| / |rim of A or rim of B|: NaN where both masks are empty, 0 where one is.

    With a width above the radius of all objects it is plain IoU. Cost: two distance transforms.
    """
    there, found = rim(truth, width_mm, spacing), rim(predicted, width_mm, spacing)
    either = (there | found).sum()
    return float((there & found).sum() / either) if either else float("nan")
