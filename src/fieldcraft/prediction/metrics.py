"""Metrics of scores against the truth, vectorised so that a bootstrap can call them a thousand times.

Scores: single-label probabilities (n, classes), multi-label probabilities (n, labels), regression numbers (n, targets).
"""

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from fieldcraft.errors import DataError
from fieldcraft.records.facts import Task

Array = npt.NDArray[np.float64]
Truth = npt.NDArray[np.generic]
Name = Literal["accuracy", "balanced-accuracy", "auroc", "f1", "log-loss", "rmse", "mae", "r2", "nll"]

METRICS: Mapping[Task, tuple[Name, ...]] = {
    "single-label": ("accuracy", "balanced-accuracy", "auroc", "f1", "log-loss"),
    "multi-label": ("accuracy", "auroc", "f1", "log-loss"),
    "regression": ("rmse", "mae", "r2"),
    "segmentation": (),
}
TINY = 1e-12
LOWER_IS_BETTER = frozenset({"log-loss", "rmse", "mae", "nll"})


def higher_is_better(metric: str) -> bool:
    """Whether larger values are better."""
    if metric not in get_args(Name):
        raise ValueError(f"no metric named {metric!r}; there are {', '.join(get_args(Name))}.")
    return metric not in LOWER_IS_BETTER


def score(metric: str, task: Task, truth: Truth, scores: Array) -> float:
    """One metric. Multi-label metrics are means over the labels; AUROC and F1 are macro-averaged.

    A class without samples (or with nothing but samples) has no AUROC and is left out of that mean; NaN when all are.
    Raises: DataError when a score is no number; ValueError for an unknown metric.
    """
    if metric not in METRICS[task]:
        raise ValueError(f"metric {metric!r} is not defined for {task}; there are {', '.join(METRICS[task])}.")
    return all_of((metric,), task, truth, scores)[metric]


def all_metrics(task: Task, truth: Truth, scores: Array, sigma: Array | None = None) -> dict[str, float]:
    """Every metric of the task; with `sigma` (one a target) also the mean negative log-likelihood under that noise."""
    found = all_of(METRICS[task], task, truth, scores)
    if task == "regression" and sigma is not None:
        found["nll"] = gaussian_nll(columns_of(truth), scores, sigma)
    return found


def all_of(metrics: tuple[str, ...], task: Task, truth: Truth, scores: Array) -> dict[str, float]:
    """Some metrics of a task.

    Several regression targets: the mean over the targets of each one's metric.
    """
    if len(truth) != len(scores) or len(truth) == 0 or scores.ndim != 2:
        raise DataError(
            f"metrics need n >= 1 truths and scores of shape (n, outputs), but got {truth.shape} and {scores.shape}."
        )
    if not np.isfinite(scores).all():
        bad = int((~np.isfinite(scores).all(axis=1)).sum())
        first = int(np.flatnonzero(~np.isfinite(scores).all(axis=1))[0])
        raise DataError(
            f"{bad} of {len(scores)} predictions are no finite numbers (the first is number {first}): the model has "
            "diverged. Lower the learning rate, or look for extreme values in the inputs."
        )
    match task:
        case "single-label":
            return {metric: _single(metric, truth.astype(np.int64), scores) for metric in metrics}
        case "multi-label":
            return {metric: _multi(metric, truth.astype(np.int64), scores) for metric in metrics}
        case "regression":
            return {metric: _numbers(metric, columns_of(truth), scores) for metric in metrics}
        case "segmentation":
            raise ValueError(
                "masks have measures of their own, a number a case: these metrics are of one answer a sample."
            )


def gaussian_nll(truth: Array, scores: Array, sigma: Array) -> float:
    """Mean over samples and targets, in nats."""
    return float(np.mean(0.5 * np.log(2 * np.pi * sigma**2) + 0.5 * ((truth - scores) / sigma) ** 2))


def _single(metric: str, truth: npt.NDArray[np.int64], scores: Array) -> float:
    classes = scores.shape[1]
    if metric == "log-loss":
        return float(-np.log(np.clip(scores[np.arange(len(truth)), truth], TINY, None)).mean())
    if metric == "auroc":
        columns = [1] if classes == 2 else range(classes)
        return _mean([_auroc(truth == column, scores[:, column]) for column in columns])
    guess = scores.argmax(axis=1)
    if metric == "accuracy":
        return float((guess == truth).mean())
    hits = np.bincount(truth[guess == truth], minlength=classes)
    given = np.bincount(truth, minlength=classes)
    if metric == "balanced-accuracy":
        there = given > 0
        return float((hits[there] / given[there]).mean())
    told = np.bincount(guess, minlength=classes)
    there = given + told > 0
    return float((2 * hits[there] / (given + told)[there]).mean())


def _multi(metric: str, truth: npt.NDArray[np.int64], scores: Array) -> float:
    if metric == "log-loss":
        right = np.where(truth == 1, scores, 1 - scores)
        return float(-np.log(np.clip(right, TINY, None)).mean())
    if metric == "auroc":
        return _mean([_auroc(truth[:, label] == 1, scores[:, label]) for label in range(truth.shape[1])])
    guess = scores >= 0.5
    if metric == "accuracy":
        return float((guess == (truth == 1)).mean())
    hits = (guess & (truth == 1)).sum(axis=0)
    either = guess.sum(axis=0) + truth.sum(axis=0)
    there = either > 0
    return float((2 * hits[there] / either[there]).mean()) if there.any() else 0.0


def _numbers(metric: str, truth: Array, scores: Array) -> float:
    errors = truth - scores
    if metric == "rmse":
        return float(np.sqrt((errors**2).mean(axis=0)).mean())
    if metric == "mae":
        return float(np.abs(errors).mean())
    spread = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    left = (errors**2).sum(axis=0)
    return float(
        np.mean(np.where(spread > 0, 1 - left / np.where(spread > 0, spread, 1), np.where(left == 0, 1.0, 0.0)))
    )


def _auroc(positive: npt.NDArray[np.bool_], scores: Array) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney)."""
    count = int(positive.sum())
    rest = len(positive) - count
    if count == 0 or rest == 0:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * rest))


def _mean(values: list[float]) -> float:
    there = [value for value in values if not np.isnan(value)]
    return float(np.mean(there)) if there else float("nan")


def columns_of(truth: Truth) -> Array:
    """Regression targets as (n, targets)."""
    numbers = truth.astype(np.float64)
    return numbers[:, None] if numbers.ndim == 1 else numbers
