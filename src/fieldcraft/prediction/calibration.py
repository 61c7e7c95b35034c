"""One temperature for all logits, fitted on validation; and how far confidence is from accuracy.

Source: Guo et al. 2017, arXiv:1706.04599, sections 2 (expected calibration error) and 4.2 (temperature scaling).
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

from fieldcraft.prediction.metrics import Array, Truth
from fieldcraft.records.facts import Task
from fieldcraft.records.results import Reliability

BOUNDS = (-3.0, 3.0)  # of the logarithm: temperatures from 0.05 to 20
LEAST = 1e-7  # probabilities are kept this far from 0 and 1 where they become logits


def apply(outputs: Array, temperature: float, task: Task) -> Array:
    """Probabilities from logits; regression outputs pass unchanged."""
    match task:
        case "single-label":
            found: Array = softmax(outputs / temperature, axis=1)
        case "multi-label":
            found = expit(outputs / temperature)
        case "regression":
            found = outputs
    return found


def as_outputs(scores: Array, task: Task) -> Array:
    """Scores in the convention of networks: logits of probabilities, or numbers as they are."""
    if task == "regression":
        return scores
    clipped = np.clip(scores, LEAST, 1 - LEAST)
    found: Array = np.log(clipped) if task == "single-label" else np.log(clipped) - np.log1p(-clipped)
    return found


def fit_temperature(logits: Array, truth: Truth, task: Task) -> float:
    """The temperature with the least cross-entropy on these samples; 1 for regression.

    It never changes which class is most probable.
    """
    if task == "regression":
        return 1.0

    def nats(log_temperature: float) -> float:
        return _cross_entropy(logits / np.exp(log_temperature), truth, task)

    found = minimize_scalar(nats, bounds=BOUNDS, method="bounded", options={"xatol": 1e-4})
    return float(np.exp(found.x)) if nats(found.x) < nats(0.0) else 1.0


def reliability(probabilities: Array, truth: Truth, bins: int = 15) -> Reliability:
    """Confidence against accuracy in equal-width bins, and the expected calibration error over them.

    (n, classes) with class indices: the highest probability and whether it was right. (n, labels) with 0 and 1 for
    each: the probability of each label's likelier value.
    """
    if truth.ndim == 1:
        confidence = probabilities.max(axis=1)
        right = probabilities.argmax(axis=1) == truth
    else:
        confidence = np.maximum(probabilities, 1 - probabilities).ravel()
        right = ((probabilities >= 0.5) == (truth == 1)).ravel()
    index = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    counts = np.bincount(index, minlength=bins)
    filled = np.maximum(counts, 1)
    mean_confidence = np.bincount(index, weights=confidence, minlength=bins) / filled
    accuracy = np.bincount(index, weights=right, minlength=bins) / filled
    return Reliability(
        confidence=tuple(map(float, mean_confidence)),
        accuracy=tuple(map(float, accuracy)),
        counts=tuple(map(int, counts)),
        ece=float((counts * np.abs(mean_confidence - accuracy)).sum() / len(confidence)),
    )


def _cross_entropy(logits: Array, truth: Truth, task: Task) -> float:
    if task == "single-label":
        return float(-log_softmax(logits, axis=1)[np.arange(len(truth)), truth.astype(np.int64)].mean())
    return float((np.logaddexp(0, logits) - truth.astype(np.float64) * logits).mean())
