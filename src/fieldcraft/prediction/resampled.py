"""All metrics of many resamples at once: a resample is how often each sample was drawn, and most metrics are sums.

What `metrics` computes for one set of samples is computed here for r weightings of it, in a few matrix products; the
AUROC of each class needs one sort for all resamples together.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from fieldcraft.prediction.metrics import TINY, Array, Truth, columns_of
from fieldcraft.records.facts import Task

Counts = npt.NDArray[np.uint16]
"""(n, r): how often each of n samples was drawn in each of r resamples."""


def resampled(
    metrics: Sequence[str], task: Task, truth: Truth, scores: Array, counts: Counts, sigma: Array | None = None
) -> dict[str, Array]:
    """Each metric's r values; NaN where a resample does not define it.

    Shape: truth (n,) or (n, k), scores (n, k), counts (n, r); each value (r,).
    """
    weights = counts.astype(np.float64)
    match task:
        case "single-label":
            return _single(metrics, truth.astype(np.int64), scores, counts, weights)
        case "multi-label":
            return _multi(metrics, truth == 1, scores, counts, weights)
        case "regression":
            return _numbers(metrics, columns_of(truth), scores, weights, sigma)
        case "segmentation":
            raise ValueError(
                "masks have measures of their own, a number a case: these metrics are of one answer a sample."
            )


def _single(
    metrics: Sequence[str], truth: npt.NDArray[np.int64], scores: Array, counts: Counts, weights: Array
) -> dict[str, Array]:
    classes, drawn = scores.shape[1], weights.sum(axis=0)
    guess = scores.argmax(axis=1)
    given, told = _per_class(truth, classes, weights), _per_class(guess, classes, weights)
    right = guess == truth
    hits = _per_class(truth[right], classes, weights[right])
    found: dict[str, Array] = {}
    for metric in metrics:
        if metric == "accuracy":
            found[metric] = hits.sum(axis=0) / drawn
        elif metric == "balanced-accuracy":
            found[metric] = _mean_where(given > 0, hits, given)
        elif metric == "f1":
            found[metric] = _mean_where(given + told > 0, 2 * hits, given + told)
        elif metric == "log-loss":
            nats = -np.log(np.clip(scores[np.arange(len(truth)), truth], TINY, None))
            found[metric] = nats @ weights / drawn
        elif metric == "auroc":
            which = [1] if classes == 2 else range(classes)
            found[metric] = _mean([_auroc(truth == one, scores[:, one], counts) for one in which])
    return found


def _multi(
    metrics: Sequence[str], truth: npt.NDArray[np.bool_], scores: Array, counts: Counts, weights: Array
) -> dict[str, Array]:
    drawn, guess = weights.sum(axis=0), scores >= 0.5
    found: dict[str, Array] = {}
    for metric in metrics:
        if metric == "accuracy":
            found[metric] = (guess == truth).mean(axis=1) @ weights / drawn
        elif metric == "f1":
            either = (guess.astype(np.float64) + truth).T @ weights
            both = (guess & truth).astype(np.float64).T @ weights
            found[metric] = _mean_where(either > 0, 2 * both, either, nothing=0.0)
        elif metric == "log-loss":
            nats = -np.log(np.clip(np.where(truth, scores, 1 - scores), TINY, None)).mean(axis=1)
            found[metric] = nats @ weights / drawn
        elif metric == "auroc":
            labels = range(truth.shape[1])
            found[metric] = _mean([_auroc(truth[:, one], scores[:, one], counts) for one in labels])
    return found


def _numbers(
    metrics: Sequence[str], truth: Array, scores: Array, weights: Array, sigma: Array | None
) -> dict[str, Array]:
    drawn, errors = weights.sum(axis=0), truth - scores
    squared = (errors**2).T @ weights
    found: dict[str, Array] = {}
    for metric in metrics:
        if metric == "rmse":
            found[metric] = np.sqrt(squared / drawn).mean(axis=0)
        elif metric == "mae":
            found[metric] = (np.abs(errors).T @ weights / drawn).mean(axis=0)
        elif metric == "r2":
            centred = truth - truth.mean(axis=0)
            spread = (centred**2).T @ weights - (centred.T @ weights) ** 2 / drawn
            flat = spread <= 1e-12 * (centred**2).sum(axis=0)[:, None]
            found[metric] = np.where(flat, np.where(squared == 0, 1.0, 0.0), 1 - squared / np.where(flat, 1, spread))
            found[metric] = found[metric].mean(axis=0)
        elif metric == "nll" and sigma is not None:
            each = 0.5 * np.log(2 * np.pi * sigma**2)[:, None] + 0.5 * squared / drawn / (sigma**2)[:, None]
            found[metric] = each.mean(axis=0)
    return found


def _per_class(member: npt.NDArray[np.int64], classes: int, weights: Array) -> Array:
    """(classes, r): weight of the samples of each class."""
    n = len(member)
    indicator = csr_array((np.ones(n), (member, np.arange(n))), shape=(classes, n))
    return np.asarray(indicator @ weights)


def _auroc(positive: npt.NDArray[np.bool_], scores: Array, counts: Counts) -> Array:
    """(r,): for each positive, the weight of the negatives below it, and half of those that tie with it."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    is_positive = np.flatnonzero(positive[order])
    starts = np.searchsorted(ordered, ordered[is_positive], side="left")
    ends = np.searchsorted(ordered, ordered[is_positive], side="right")
    negatives = counts[order]
    weight = negatives[is_positive].astype(np.float64)
    negatives[is_positive] = 0
    below = np.zeros((len(order) + 1, counts.shape[1]), dtype=np.int32)
    np.cumsum(negatives, axis=0, dtype=np.int32, out=below[1:])
    wins = np.einsum("ij,ij->j", weight, 0.5 * (below[starts] + below[ends]))
    pairs = weight.sum(axis=0) * below[-1]
    return np.where(pairs > 0, wins / np.where(pairs > 0, pairs, 1), np.nan)


def _mean_where(there: npt.NDArray[np.bool_], top: Array, bottom: Array, nothing: float = np.nan) -> Array:
    """Mean over the classes that are there of top / bottom."""
    shares = np.where(there, top / np.where(there, bottom, 1), 0.0).sum(axis=0)
    count = there.sum(axis=0)
    return np.where(count > 0, shares / np.maximum(count, 1), nothing)


def _mean(values: list[Array]) -> Array:
    """Mean over those that are defined, resample by resample."""
    stacked = np.stack(values)
    there = np.isfinite(stacked)
    return _mean_where(there, np.where(there, stacked, 0.0), there.astype(np.float64))
