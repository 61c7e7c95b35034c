"""Intervals by resampling the samples; groups are resampled whole.

Source: Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 13 (percentile intervals).
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from fieldcraft.prediction.metrics import Array, Truth, all_metrics, higher_is_better, score
from fieldcraft.prediction.resampled import Counts, resampled
from fieldcraft.records.facts import Task
from fieldcraft.records.results import Estimate
from fieldcraft.records.streams import stream_seed

Groups = npt.NDArray[np.str_] | None
MOST_SCORES = 200_000_000
"""Numbers that all resamples together may touch: large test parts need, and get, fewer of them."""
FEWEST = 200
AT_ONCE = 2_000_000
"""Counts that are held in memory at a time."""


def intervals(
    task: Task,
    truth: Truth,
    scores: Array,
    groups: Groups = None,
    sigma: Array | None = None,
    repeats: int = 1000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Every metric of the task with its 95 % percentile interval.

    A metric that these samples do not define (AUROC with one class) is left out; resamples in which it is not defined
    do not count for it. An accuracy of 0 or 1 gets the exact binomial bound, which resampling cannot see.
    """
    found = {name: value for name, value in all_metrics(task, truth, scores, sigma).items() if np.isfinite(value)}
    blocks = [
        resampled(tuple(found), task, truth, scores, counts, sigma)
        for counts in _counts(len(truth), groups, _affordable(scores, repeats), seed)
    ]
    units = _units(len(truth), groups)
    estimates = {}
    for name, value in found.items():
        drawn = np.concatenate([block[name] for block in blocks])
        whole = estimate(value, drawn[np.isfinite(drawn)].tolist(), units)
        estimates[name] = _exact(whole) if name == "accuracy" else whole
    return estimates


def share(values: Array, groups: Groups = None, repeats: int = 1000, seed: int = 0) -> Estimate:
    """The mean of shares (0 to 1, most often just these) with its 95 % interval; exact where all are 0 or all are 1."""
    drawn = [
        counts.T @ values / counts.sum(axis=0)
        for counts in _counts(len(values), groups, _affordable(values, repeats), seed)
    ]
    return _exact(estimate(float(values.mean()), np.concatenate(drawn).tolist(), _units(len(values), groups)))


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
    groups: Groups = None,
    repeats: int = 300,
    seed: int = 0,
) -> tuple[float, float]:
    """How much better `a` is than `b` (positive: better), and the standard error of that difference.

    One's own metric is a callable of (truth, scores), larger being better. Both sides are resampled together. The error
    of an accuracy is at least that of one sample changing sides, so that a tie on a small part is never called certain.
    """
    times = _affordable(a, repeats)
    if callable(metric):
        gain = metric(truth, a) - metric(truth, b)
        drawn = np.array(
            [
                metric(truth[rows], a[rows]) - metric(truth[rows], b[rows])
                for rows in resamples(len(truth), groups, times, seed)
            ]
        )
        least = 0.0
    else:
        sign = 1 if higher_is_better(metric) else -1
        gain = sign * (score(metric, task, truth, a) - score(metric, task, truth, b))
        drawn = np.concatenate(
            [
                _one(metric, task, truth, a, counts) - _one(metric, task, truth, b, counts)
                for counts in _counts(len(truth), groups, times, seed)
            ]
        )
        least = 1 / len(truth) if metric in ("accuracy", "balanced-accuracy") else 0.0
    drawn = drawn[np.isfinite(drawn)]
    error = float(np.std(drawn)) if len(drawn) else float("inf")
    return float(gain), max(error, least)


def resamples(count: int, groups: Groups, repeats: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Rows of each resample: samples, or whole groups, drawn with replacement."""
    rng = np.random.default_rng(stream_seed(seed, "bootstrap"))
    members = None if groups is None else _members(groups)
    for _ in range(repeats):
        if members is None:
            yield rng.integers(0, count, count)
        else:
            yield np.concatenate([members[group] for group in rng.integers(0, len(members), len(members))])


def _members(groups: npt.NDArray[np.str_]) -> Sequence[npt.NDArray[np.int64]]:
    _, member = np.unique(groups, return_inverse=True)
    return np.split(np.argsort(member, kind="stable"), np.cumsum(np.bincount(member))[:-1])


def _counts(count: int, groups: Groups, repeats: int, seed: int) -> Iterator[Counts]:
    """The same resamples as how often each sample was drawn, (count, r), some at a time."""
    rng = np.random.default_rng(stream_seed(seed, "bootstrap"))
    member = np.arange(count) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(member.max()) + 1
    width = max(1, min(repeats, AT_ONCE // max(1, count)))
    for start in range(0, repeats, width):
        drawn = [
            np.bincount(rng.integers(0, units, units), minlength=units) for _ in range(min(width, repeats - start))
        ]
        yield np.ascontiguousarray(np.stack(drawn, axis=1).astype(np.uint16)[member])


def _one(metric: str, task: Task, truth: Truth, scores: Array, counts: Counts) -> Array:
    return resampled((metric,), task, truth, scores, counts)[metric]


def _exact(found: Estimate) -> Estimate:
    """With no error among n, up to 1 - 0.025^(1/n) of all may be errors (Clopper and Pearson 1934)."""
    least = 0.025 ** (1 / found.n)
    low = min(found.low, least) if found.value == 1.0 else found.low
    high = max(found.high, 1 - least) if found.value == 0.0 else found.high
    return Estimate(value=found.value, low=low, high=high, n=found.n)


def _units(count: int, groups: Groups) -> int:
    return count if groups is None else len(np.unique(groups))


def _affordable(scores: Array, repeats: int) -> int:
    return int(min(repeats, max(FEWEST, MOST_SCORES // max(1, scores.size))))
