"""Several models as one: a weighted mean of what they say, and how the weights are chosen.

Helps: models that err in different places; the mean is hardly ever worse than the best of them.
Hurts: every member costs its own memory and its own time for a prediction.
Source: Caruana et al. 2004, "Ensemble selection from libraries of models", ICML (greedy selection with replacement);
Lakshminarayanan et al. 2017, arXiv:1612.01474 (networks from several starting weights).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from fieldcraft.prediction.calibration import LEAST, apply, as_outputs, fit_temperature
from fieldcraft.prediction.metrics import Array, Truth
from fieldcraft.records.facts import Task

Model = TypeVar("Model")
ROUNDS = 20
"""Of the greedy selection."""
FOLDS = 5
"""Of the cross-fitting."""
BAGS = 10
"""Draws of the validation samples, with replacement, over which weights are averaged: few samples overrate the best."""
MOST_LOGITS = 1_000_000
"""Over which a temperature is fitted; of more, samples at even distances."""
LEAST_WEIGHT = 0.04
"""What gets less than this is not worth its time in every prediction."""


@dataclass(frozen=True, eq=False)
class Ensemble(Generic[Model]):
    """Models whose answers are averaged."""

    models: tuple[Model, ...]
    """The heaviest first."""
    weights: tuple[float, ...]
    """Of each model; together 1."""
    temperatures: tuple[float, ...]
    """Of each model: its logits are divided by it before they become the probabilities that are averaged."""

    def averaged(self, outputs: Sequence[Array], task: Task) -> Array:
        """The mean of what the models say, (n, classes), (n, labels) or (n, targets), in the same convention."""
        scores = [apply(one, warm, task) for one, warm in zip(outputs, self.temperatures, strict=True)]
        return as_outputs(mean_of(scores, self.weights), task)


@dataclass(frozen=True)
class Chosen:
    """Weights of an ensemble, and what it says about samples that its weights were not chosen on."""

    weights: tuple[float, ...]
    """One a candidate; 0: it takes no part. A single one with all of the weight: no average is better."""
    temperatures: tuple[float, ...]
    outputs: Array
    """Cross-fitted."""


def mean_of(scores: Sequence[Array], weights: Sequence[float]) -> Array:
    """Weighted mean of probabilities, or of numbers."""
    found: Array = sum((weight * one for one, weight in zip(scores, weights, strict=True)), np.zeros_like(scores[0]))
    return found


def losses(scores: Array, truth: Truth, task: Task, scale: Array | float = 1.0) -> Array:
    """(n,): of each sample, the log-loss in nats, or the squared error (the mean over targets, in units of `scale`).

    Both are proper: no other scores than the true ones have a lower expectation.
    """
    return _losses(_of_truth(scores, truth, task) / scale, task)


def _scale(truth: Truth, task: Task) -> Array:
    """What errors are divided by: the spread of each target, so that they count alike; one that is constant has 1."""
    spread = truth.astype(np.float64).std(axis=0) if task == "regression" else np.ones(1)
    found: Array = np.where(spread > 0, spread, 1.0)
    return found


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """What weights are chosen over."""

    outputs: Sequence[Array]
    """Of each candidate on the validation part."""
    kinds: Sequence[str]
    """Of each candidate; those of one kind (a network from several starting weights) share one weight evenly, so that
    none of them is preferred for its luck."""
    truth: Truth
    task: Task
    calibrate: bool = True
    """Whether each candidate has a temperature of its own."""

    def of(self, rows: npt.NDArray[np.int64]) -> "Candidates":
        """The same of some samples."""
        return replace(self, outputs=[one[rows] for one in self.outputs], truth=self.truth[rows])


def choose(candidates: Candidates, units: npt.NDArray[np.int64], seed: int) -> Chosen:
    """Choose weights by greedy selection, if cross-fitting shows them to be better than all of the weight on one kind.

    `units`: (n,), from 0: what stays together where samples are parted or drawn, groups or the samples themselves.
    """
    fold_of = np.random.default_rng(seed).permutation(int(units.max()) + 1) % FOLDS
    together, alone = np.zeros_like(candidates.outputs[0]), np.zeros_like(candidates.outputs[0])
    truth, task = candidates.truth, candidates.task
    scale = _scale(truth, task)
    for fold in range(FOLDS):
        inside = fold_of[units] == fold
        others, held = candidates.of(np.flatnonzero(~inside)), candidates.of(np.flatnonzero(inside))
        found = _fitted(others, scale, units[~inside], seed)
        scores = _scores(held, found.temperatures)
        together[inside], alone[inside] = mean_of(scores, found.weights), mean_of(scores, found.best)
    found = _fitted(candidates, scale, units, seed)
    gains = (losses(alone, truth, task, scale) - losses(together, truth, task, scale)).mean() > 0
    return Chosen(
        weights=found.weights if gains else found.best,
        temperatures=found.temperatures,
        outputs=as_outputs(together if gains else alone, task),
    )


def greedy(told: Sequence[Array], task: Task) -> tuple[float, ...]:
    """Weights by adding, round after round, the candidate that lowers the mean loss most, with replacement.

    `told`: of each candidate, (n, k) as `_of_truth` gives it. Begins with the best one; the round with the lowest loss
    counts.
    """
    counts, total = np.zeros(len(told)), np.zeros_like(told[0])
    best, kept = np.inf, counts
    for size in range(1, ROUNDS + 1):
        means = [_losses((total + one) / size, task).mean() for one in told]
        place = int(np.argmin(means))
        counts = counts + (np.arange(len(told)) == place)
        total = total + told[place]
        if means[place] < best:
            best, kept = float(means[place]), counts
    return tuple(map(float, kept / kept.sum()))


def _of_truth(scores: Array, truth: Truth, task: Task) -> Array:
    """(n, k): the probability of what is true, or how far numbers are from it; of a mean it is the mean of these."""
    if task == "regression":
        away: Array = scores - truth.astype(np.float64).reshape(len(truth), -1)
        return away
    if task == "single-label":
        given: Array = scores[np.arange(len(truth)), truth.astype(np.int64)][:, None]
        return given
    found: Array = np.where(truth.astype(np.float64) == 1, scores, 1 - scores)
    return found


def _losses(of_truth: Array, task: Task) -> Array:
    found: Array = (of_truth**2 if task == "regression" else -np.log(of_truth.clip(LEAST))).mean(axis=1)
    return found


@dataclass(frozen=True)
class _Fitted:
    temperatures: tuple[float, ...]
    weights: tuple[float, ...]
    best: tuple[float, ...]
    """All of the weight to the best kind."""


def _fitted(candidates: Candidates, scale: Array, units: npt.NDArray[np.int64], seed: int) -> _Fitted:
    outputs, truth, task, kinds = candidates.outputs, candidates.truth, candidates.task, candidates.kinds
    some = slice(None, None, 1 + outputs[0].size // MOST_LOGITS)
    temperatures = tuple(
        fit_temperature(one[some], truth[some], task) if candidates.calibrate else 1.0 for one in outputs
    )
    told = [_of_truth(one, truth, task) / scale for one in _scores(candidates, temperatures)]
    names = list(dict.fromkeys(kinds))
    means = [np.mean([one for one, kind in zip(told, kinds, strict=True) if kind == name], axis=0) for name in names]
    draws = _draws(units, seed)
    shares = np.mean([greedy([one[rows] for one in means], task) for rows in draws], axis=0)
    shares = np.where(shares >= LEAST_WEIGHT, shares, 0.0) / shares[shares >= LEAST_WEIGHT].sum()
    best = names[int(np.argmin([_losses(one, task).mean() for one in means]))]
    return _Fitted(
        temperatures=temperatures,
        weights=_evenly(dict(zip(names, shares.tolist(), strict=True)), kinds),
        best=_evenly({best: 1.0}, kinds),
    )


def _scores(candidates: Candidates, temperatures: Sequence[float]) -> list[Array]:
    return [apply(one, warm, candidates.task) for one, warm in zip(candidates.outputs, temperatures, strict=True)]


def _draws(units: npt.NDArray[np.int64], seed: int) -> list[npt.NDArray[np.int64]]:
    """Rows of as many units as there are, drawn with replacement, several times."""
    known, place = np.unique(units, return_inverse=True)
    parts = np.split(np.argsort(place, kind="stable"), np.cumsum(np.bincount(place))[:-1])
    random = np.random.default_rng(seed)
    drawn = [random.integers(len(known), size=len(known)) for _ in range(BAGS)]
    return [np.concatenate([parts[unit] for unit in each]) for each in drawn]


def _evenly(shares: Mapping[str, float], kinds: Sequence[str]) -> tuple[float, ...]:
    """The share of each kind, shared out among its candidates."""
    return tuple(shares.get(kind, 0.0) / kinds.count(kind) for kind in kinds)
