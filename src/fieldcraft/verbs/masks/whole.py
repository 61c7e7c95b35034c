"""From what is said on the network's grid to masks on the grid of the files."""

import numpy as np
import numpy.typing as npt

from fieldcraft.data.spacing import orders_for, resampled
from fieldcraft.prediction.masks.ask import Logits
from fieldcraft.verbs.masks.samples import MaskSamples


def on_own_grid(logits: Logits, samples: MaskSamples, row: int) -> Logits:
    """(classes, *spatial) on the grid of the case's files; linear between voxels."""
    shape = samples.case(row).geometry.shape
    if logits.shape[1:] == shape:
        return logits
    linear = orders_for((1.0,) * len(shape), order=1)
    return resampled(logits, shape, linear)


def labels_on_own_grid(logits: Logits, samples: MaskSamples, row: int) -> npt.NDArray[np.int16]:
    """Class ids (*spatial), the likeliest class of each voxel."""
    found: npt.NDArray[np.int16] = on_own_grid(logits, samples, row).argmax(axis=0).astype(np.int16)
    return found
