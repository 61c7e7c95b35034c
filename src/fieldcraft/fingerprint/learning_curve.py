"""How the error of a probe falls with more samples."""

import numpy as np
import numpy.typing as npt

from fieldcraft.fingerprint.ridges import Array, kernel_fit, wrong
from fieldcraft.fingerprint.some import Rows
from fieldcraft.records.deep_facts import LearningCurve
from fieldcraft.records.facts import Task
from fieldcraft.records.streams import stream_seed

PARTS = (8, 4, 2, 1)
"""Disjoint parts of the samples to learn from; each part of equal size is learnt from alone."""
RESAMPLES = 200
NEWTON_STEPS = 50


def power_law(samples: npt.ArrayLike, error: npt.ArrayLike) -> tuple[float, float]:
    """Scale and exponent of error = scale * samples ** -exponent, by Poisson regression, so that some may be zero.

    Source: the shape: Hestness et al. 2017, arXiv:1712.00409. Raises: ValueError when all errors are zero.
    """
    sizes, errors = np.log(np.asarray(samples, dtype=np.float64)), np.asarray(error, dtype=np.float64)
    if errors.min() < 0 or errors.max() <= 0:
        raise ValueError(f"errors must not be negative, nor all zero, to lie on a power law, but are {errors}.")
    middle = sizes.mean()
    design = np.stack([np.ones_like(sizes), sizes - middle], axis=1)
    fitted = np.array([np.log(errors.mean()), 0.0])
    for _ in range(NEWTON_STEPS):
        expected = np.exp(np.clip(design @ fitted, -50.0, 50.0))
        step = np.linalg.solve(design.T @ (expected[:, None] * design), design.T @ (errors - expected))
        fitted += np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-10:
            break
    return float(np.exp(fitted[0] - fitted[1] * middle)), float(-fitted[1])


def learning_curve(
    kernel: Array, code: Array, task: Task, fold: Rows, *, penalty: float, flexible: float, seed: int
) -> LearningCurve:
    """A kernel machine on disjoint eighths, quarters, halves and all of the samples outside fold 0, judged on fold 0.

    The interval of `doubling` is by resampling the judged samples. `flexible` is passed on.
    """
    held, learnt = np.flatnonzero(fold == 0), np.flatnonzero(fold != 0)
    learnt = np.random.default_rng(stream_seed(seed, "fingerprint", "curve")).permutation(learnt)
    missed = np.stack([_missed(kernel, code, task, learnt, held, parts, penalty) for parts in PARTS])
    sizes = tuple(len(learnt) // parts for parts in PARTS)
    random = np.random.default_rng(stream_seed(seed, "fingerprint", "curve resampled"))
    drawn = random.integers(0, len(held), (RESAMPLES, len(held)))
    doublings = [_doubling(sizes, missed[:, rows], task) for rows in drawn]
    error = np.sqrt(missed.mean(axis=1)) if task == "regression" else missed.mean(axis=1)
    low, high = np.quantile(doublings, (0.025, 0.975))
    return LearningCurve(
        samples=sizes,
        error=tuple(float(value) for value in error),
        doubling=_doubling(sizes, missed, task),
        doubling_95=(float(low), float(high)),
        flexible=flexible,
    )


def _missed(kernel: Array, code: Array, task: Task, learnt: Rows, held: Rows, parts: int, penalty: float) -> Array:
    """How wrong each judged sample is, a mean over the parts learnt from."""
    size = len(learnt) // parts
    pieces = (learnt[start * size : (start + 1) * size] for start in range(parts))
    each = [wrong(code[held], kernel_fit(kernel, code, rows, held, penalty), task) for rows in pieces]
    return np.asarray(np.mean(each, axis=0))


def _doubling(sizes: tuple[int, ...], missed: Array, task: Task) -> float:
    """Of the share of wrong answers; of the root of the mean squared error for numbers."""
    mean = missed.mean(axis=1)
    if not mean.any():
        return 0.0
    exponent = power_law(sizes, mean)[1] / (2 if task == "regression" else 1)
    return float(1 - 2**-exponent)
