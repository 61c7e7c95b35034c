"""Intervals by resampling the samples; groups are resampled whole.

Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentile intervals).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fieldcraft.prediction.metrics import Array, Truth, all_metrics, higher_is_better, score
from fieldcraft.records.facts import Task
from fieldcraft.records.results import Estimate
from fieldcraft.records.streams import stream_seed

MOST_SCORES = 100_000_000
"""Numbers that all resamples together may touch: large test parts need, and get, fewer of them."""
FEWEST = 200


def intervals(
    task: Task,
    truth: Truth,
    scores: Array,
    groups: npt.NDArray[np.str_] | None = None,
    sigma: Array | None = None,
    repeats: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Every metric of the task with its 95 % percentile interval.

    Resamples in which a metric is not defined (a class is missing) do not count for it.
    """
    found = all_metrics(task, truth, scores, sigma)
    drawn: dict[str, list[float]] = {name: [] for name in found}
    for rows in resamples(len(truth), groups, _affordable(scores, repeats), seed):
        for name, value in all_metrics(task, truth[rows], scores[rows], sigma).items():
            if np.isfinite(value):
                drawn[name].append(value)
    units = len(truth) if groups is None else len(np.unique(groups))
    return {name: estimate(value, drawn[name], units) for name, value in found.items() if np.isfinite(value)}


def estimate(value: float, drawn: list[float], units: int) -> Estimate:
    """A value with the 2.5th and 97.5th percentile of its resamples."""
    low, high = np.percentile(drawn, [2.5, 97.5]) if drawn else (value, value)
    return Estimate(value=value, low=float(low), high=float(high), n=units)


def paired_difference(
    metric: str | Callable[[Truth, Array], float],
    task: Task,
    truth: Truth,
    a: Array,
    b: Array,
    groups: npt.NDArray[np.str_] | None = None,
    repeats: int = 300,
    seed: int = 0,
) -> tuple[float, float]:
    """How much better `a` is than `b` (positive: better), and the standard error of that difference.

    One's own metric is a callable of (truth, scores), larger being better. Both sides are resampled together. The error
    is at least that of one sample changing sides, so that a tie on a small part is never called certain.
    """
    if callable(metric):
        better, one = metric, 1
    else:
        name = metric
        one = 1 if higher_is_better(name) else -1

        def better(truth: Truth, scores: Array) -> float:
            return score(name, task, truth, scores)

    gain = one * (better(truth, a) - better(truth, b))
    drawn = [
        one * (better(truth[rows], a[rows]) - better(truth[rows], b[rows]))
        for rows in resamples(len(truth), groups, _affordable(a, repeats), seed)
    ]
    drawn = [value for value in drawn if np.isfinite(value)]
    error = float(np.std(drawn)) if drawn else float("inf")
    floor = 1 / len(truth) if metric in ("accuracy", "balanced-accuracy") else 0.0
    return float(gain), max(error, floor)


def resamples(
    count: int, groups: npt.NDArray[np.str_] | None, repeats: int, seed: int
) -> "list[npt.NDArray[np.int64]]":
    """Rows of each resample: samples, or whole groups, drawn with replacement."""
    rng = np.random.default_rng(stream_seed(seed, "bootstrap"))
    if groups is None:
        return [rng.integers(0, count, count) for _ in range(repeats)]
    _, member = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(member == group) for group in range(int(member.max()) + 1)]
    return [
        np.concatenate([members[group] for group in rng.integers(0, len(members), len(members))])
        for _ in range(repeats)
    ]


def _affordable(scores: Array, repeats: int) -> int:
    return int(min(repeats, max(FEWEST, MOST_SCORES // max(1, scores.size))))
