"""Probes with a closed form: targets as numbers, ridge on the points, ridge on a kernel; judged on unseen samples."""

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from fieldcraft.fingerprint.neighbours import explained
from fieldcraft.fingerprint.some import Rows
from fieldcraft.records.facts import Task

Array = npt.NDArray[np.float64]

RIDGES = tuple(float(share) for share in np.logspace(-5, 1, 7))
"""Penalties, in units of the largest direction of the points."""
KERNEL_RIDGES = (1e-3, 1e-1, 1.0)


def coded(targets: npt.NDArray[np.generic], task: Task) -> Array:
    """Targets as the probes learn them, (n, outputs): classes as one-hot rows, numbers in deviations."""
    if task == "single-label":
        return np.asarray(targets[:, None] == np.unique(targets), dtype=np.float64)
    values = targets.reshape(len(targets), -1).astype(np.float64)
    if task == "multi-label":
        return values
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def wrong(code: Array, told: Array, task: Task) -> Array:
    """How wrong each answer is, (n,): 0 or 1 for classes, share of wrong labels, mean squared error of numbers."""
    if task == "single-label":
        return np.asarray(code.argmax(axis=1) != told.argmax(axis=1), dtype=np.float64)
    if task == "multi-label":
        return np.asarray(((told > 0.5) != (code > 0.5)).mean(axis=1))
    return np.asarray(np.square(code - told).mean(axis=1))


def worth(code: Array, told: Array, task: Task) -> float:
    """Accuracy (for labels, a mean over them) or R2."""
    return explained(code, told) if task == "regression" else float(1 - wrong(code, told, task).mean())


def linear_out_of_fold(cloud: Array, code: Array, fold: Rows) -> Array:
    """What ridge regression, fitted on the other folds, says about each sample. Shape of `code`.

    The penalty of each fit is the one with the least error when each sample of it is left out in turn.
    """
    told = np.empty_like(code)
    for part in np.unique(fold):
        held = fold == part
        if held.all():
            told[held] = code.mean(axis=0)
            continue
        told[held] = _ridge(cloud[~held], code[~held], cloud[held])
    return told


def _ridge(cloud: Array, code: Array, unseen: Array) -> Array:
    centre, mean = cloud.mean(axis=0), code.mean(axis=0)
    left, sizes, right = np.linalg.svd(cloud - centre, full_matrices=False)
    kept = sizes > 1e-10 * max(float(sizes.max()), 1e-300)
    left, sizes, right = left[:, kept], sizes[kept], right[kept]
    if not len(sizes):
        return np.broadcast_to(mean, (len(unseen), len(mean)))
    along = left.T @ (code - mean)
    best, least = np.zeros_like(along), np.inf
    for share in RIDGES:
        shrunk = sizes**2 / (sizes**2 + share * sizes[0] ** 2)
        rest = code - mean - left @ (shrunk[:, None] * along)
        leverage = np.square(left) @ shrunk + 1 / len(cloud)
        error = float(np.square(rest / np.maximum(1 - leverage, 1e-6)[:, None]).mean())
        if error < least:
            best, least = (shrunk / sizes)[:, None] * along, error
    return np.asarray(mean + (unseen - centre) @ right.T @ best)


def laplace_kernel(between: Array) -> Array:
    """exp(-distance / its median). Source: Belkin et al. 2018, arXiv:1802.01396: it hardly needs tuning."""
    typical = float(np.median(between))
    return np.exp(-between / (typical if typical > 0 else 1.0))


def kernel_out_of_fold(kernel: Array, code: Array, fold: Rows) -> tuple[Array, float]:
    """What kernel ridge regression, fitted on the other folds, says about each sample; and the penalty it took.

    One inverse serves all folds. Shape of `code`. Cost: three inverses of (n, n): about 1 s for 1,500 samples.
    """
    wide = code - code.mean(axis=0)
    best, least, taken = wide, np.inf, KERNEL_RIDGES[0]
    for penalty in KERNEL_RIDGES:
        inverse = cho_solve(cho_factor(kernel + penalty * np.eye(len(kernel))), np.eye(len(kernel)))
        weights, rest = inverse @ wide, np.empty_like(wide)
        for part in np.unique(fold):
            held = np.flatnonzero(fold == part)
            rest[held] = np.linalg.solve(inverse[np.ix_(held, held)], weights[held])
        if (error := float(np.square(rest).mean())) < least:
            best, least, taken = wide - rest, error, penalty
    return best + code.mean(axis=0), taken


def kernel_fit(kernel: Array, code: Array, rows: Rows, unseen: Rows, penalty: float) -> Array:
    """What kernel ridge regression, fitted on some rows, says about others. Shape: (unseen, outputs)."""
    mean = code[rows].mean(axis=0)
    inner = kernel[np.ix_(rows, rows)] + penalty * np.eye(len(rows))
    weights = cho_solve(cho_factor(inner), code[rows] - mean)
    return np.asarray(mean + kernel[np.ix_(unseen, rows)] @ weights)
