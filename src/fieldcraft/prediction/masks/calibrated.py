"""Probabilities of voxels that mean what they say: one temperature, fitted on voxels of validation cases.

Of each case as many voxels as of every other are drawn, evenly from all that are not void, 200,000 together: large
cases do not outweigh small ones, and the share of background is that of the predictions.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.errors import DataError
from fieldcraft.prediction.calibration import apply, fit_temperature, reliability
from fieldcraft.prediction.masks.dense_crf import Volume
from fieldcraft.prediction.masks.pair import VOID, Labels
from fieldcraft.prediction.metrics import Array
from fieldcraft.records.masks import VoxelCalibration
from fieldcraft.records.streams import stream_seed

MOST_VOXELS = 200_000
CONTESTED = 0.99
"""Probability of background below which a voxel counts as contested."""


@dataclass(frozen=True)
class Voxels:
    """Voxels of several cases: (n, classes) logits and (n,) class ids."""

    logits: Array
    truth: npt.NDArray[np.int64]


def drawn_voxels(cases: Iterable[tuple[Volume, Labels]], count: int, most: int = MOST_VOXELS, seed: int = 0) -> Voxels:
    """Voxels of `count` cases by the rule above; cases may come from a generator and are not kept.

    Shape: each case logits (classes, *spatial) and truth (*spatial). Raises: DataError where no voxel has a label.
    """
    rng = np.random.default_rng(stream_seed(seed, "voxels"))
    logits, truth = [], []
    for volume, labels in cases:
        known = np.flatnonzero(labels.ravel() != VOID)
        picked = rng.choice(known, min(len(known), max(1, most // max(1, count))), replace=False)
        logits.append(volume.reshape(len(volume), -1)[:, picked].T.astype(np.float64))
        truth.append(labels.ravel()[picked].astype(np.int64))
    if not sum(map(len, truth)):
        raise DataError("calibration needs voxels with a label, but the validation cases have none.")
    return Voxels(np.concatenate(logits), np.concatenate(truth))


def calibrate_voxels(fitted_on: Voxels, measured_on: Voxels) -> VoxelCalibration:
    """A temperature fitted on some cases, and the calibration error before and after on others.

    It changes no mask: the likeliest class stays. Where both are the same cases, what is measured is a little too good:
    one number was fitted. Source: Guo et al. 2017, arXiv:1706.04599.
    """
    temperature = fit_temperature(fitted_on.logits, fitted_on.truth, "single-label")
    before, after = (apply(measured_on.logits, one, "single-label") for one in (1.0, temperature))
    contested = before[:, 0] < CONTESTED
    truth = measured_on.truth
    return VoxelCalibration(
        temperature=temperature,
        fitted_voxels=len(fitted_on.truth),
        measured_voxels=len(truth),
        before=reliability(before, truth),
        after=reliability(after, truth),
        contested_before=reliability(before[contested], truth[contested]) if contested.any() else None,
        contested_after=reliability(after[contested], truth[contested]) if contested.any() else None,
    )
