"""Whether samples that lie close to each other have the same target."""

import numpy as np
import numpy.typing as npt

from fieldcraft.records.facts import Task

ASKED = 5
"""Neighbours whose mean foretells a number."""


def agreement(between: npt.NDArray[np.float64], targets: npt.NDArray[np.generic], task: Task) -> float:
    """How well the nearest neighbours of samples tell their targets, from distances (n, n).

    single-label: share of samples whose nearest neighbour has their class. multi-label: share of labels that the
    nearest neighbour shares. regression: R2 of the mean of five neighbours, a mean over the targets.
    """
    near = min(ASKED if task == "regression" else 1, len(between) - 1)
    apart = between + np.diag(np.full(len(between), np.inf))
    nearest = np.argpartition(apart, near - 1, axis=1)[:, :near]
    if task != "regression":
        return float((targets[nearest[:, 0]] == targets).mean())
    values = targets.reshape(len(targets), -1).astype(np.float64)
    return explained(values, values[nearest].mean(axis=1))


def explained(truth: npt.NDArray[np.float64], told: npt.NDArray[np.float64]) -> float:
    """R2, a mean over the columns that vary at all."""
    around = np.square(truth - truth.mean(axis=0)).sum(axis=0)
    missed = np.square(truth - told).sum(axis=0)
    varies = around > 0
    return float((1 - missed[varies] / around[varies]).mean()) if varies.any() else 0.0
