"""Which predictions to flag as unsure: below a probability that was chosen on validation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.prediction.metrics import Array, Truth

FEWEST = 20
"""Validation samples that must be called sure before their accuracy counts as known."""


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """The lowest probability that is called sure, and what it did on validation."""

    value: float
    reached: bool
    """Whether the wanted accuracy was reached."""
    accuracy: float
    coverage: float
    """Share of the samples called sure."""


def confidence(probabilities: Array, multi_label: bool) -> Array:
    """How sure a prediction is: the highest probability; for several labels, that of the least sure one."""
    if multi_label:
        found: Array = np.maximum(probabilities, 1 - probabilities).min(axis=1)
    else:
        found = probabilities.max(axis=1)
    return found


def right(probabilities: Array, truth: Truth) -> npt.NDArray[np.bool_]:
    """Whether a prediction is right; for several labels, whether all of them are."""
    if truth.ndim == 1:
        return np.asarray(probabilities.argmax(axis=1) == truth)
    return np.asarray(((probabilities >= 0.5) == (truth == 1)).all(axis=1))


def choose_threshold(probabilities: Array, truth: Truth, wanted: float) -> Threshold:
    """The lowest threshold whose sure predictions reach the accuracy `wanted` on these samples.

    The count of errors is raised by one before it is compared, so that a handful of lucky samples does not pass for
    accuracy (on 50 samples without an error, 98 % counts as reached and 99 % does not); when even that is out of reach
    for lack of samples, the plain count is used. Not reached: the threshold above which the accuracy is highest.
    """
    sure = confidence(probabilities, truth.ndim > 1)
    order = np.argsort(-sure, kind="stable")
    counts = np.arange(1, len(order) + 1)
    hits = np.cumsum(right(probabilities, truth)[order])
    ends = np.append(sure[order][1:] < sure[order][:-1], True)
    for careful in (1, 0):
        good = ends & (counts >= min(FEWEST, len(order))) & ((hits - careful) / counts >= wanted)
        if good.any():
            at = int(np.flatnonzero(good)[-1])
            break
    else:
        enough = ends & (counts >= min(FEWEST, len(order)))
        at = int(np.flatnonzero(enough)[np.argmax((hits / counts)[enough])])
    return Threshold(
        value=float(sure[order][at]),
        reached=bool(hits[at] / counts[at] >= wanted),
        accuracy=float(hits[at] / counts[at]),
        coverage=float(counts[at] / len(order)),
    )


def flag(probabilities: Array, threshold: float, multi_label: bool) -> npt.NDArray[np.bool_]:
    """Which predictions are unsure."""
    return np.asarray(confidence(probabilities, multi_label) < threshold)
