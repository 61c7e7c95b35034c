"""Linear: logistic regression or ridge, its strength tuned on a path from strong regularisation to weak.

Features are taken as they come: standardised for tables, [0, 1] for pixels.
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge

from fieldcraft.baselines.deadline import Deadline
from fieldcraft.baselines.fitted import Features, Fitted, Rows
from fieldcraft.baselines.folds import (
    FITS_OF_FOLDS,
    Trial,
    Trials,
    is_small,
    keep,
    make_trials,
    sample_words,
    subsample,
)
from fieldcraft.baselines.judge import held_loss, one_class, pick
from fieldcraft.records.facts import Task

FINE_GRID = tuple(float(strength) for strength in np.logspace(-4, 3, 15))
COARSE_GRID = tuple(float(strength) for strength in np.logspace(-3, 2, 6))
"""C of logistic regression, whose loss is a sum over the samples; 1 / C is the penalty of ridge."""
ITERATIONS = 300
"""L-BFGS iterations for one strength, at most."""
FIRST_ITERATIONS = 10
PROBE_ITERATIONS = 5
PROBES = 12
"""A sample is affordable when this many probes of it fit into the time: 60 iterations of one estimator."""
FIRST_SAMPLE = 500
FIXED_CELLS = 64_000_000
"""Numbers that are looked at when no time is given."""


@dataclass(frozen=True, eq=False)
class _Tuned:
    estimator: Any
    note: str
    losses: tuple[float, ...] = ()
    """On the held-out samples of each trial."""


def fit_linear(
    features: Features,
    targets: Rows,
    task: Task,
    outputs: int,
    *,
    deadline: Deadline,
    seed: int,
    groups: Rows | None,
    validation: tuple[Features, Rows] | None,
) -> Fitted:
    """Tune and fit one estimator (one a label for multi-label) on as many samples as the time allows."""
    total = len(features)
    columns: tuple[int | None, ...] = tuple(range(outputs)) if task == "multi-label" else (None,)
    size, slack = affordable(features, targets, task, deadline.share(1 / len(columns)), seed)
    cross_validate = size == total and is_small(features) and slack >= FITS_OF_FOLDS
    kept = keep(features, targets, groups, validation, size, seed)
    trials = make_trials(kept, cross_validate=cross_validate, seed=seed)
    tuned = [
        _fit_one(kept.features, kept.targets, trials, task, column, deadline.share(1 / (len(columns) - index)))
        for index, column in enumerate(columns)
    ]
    note = "; ".join((trials.words, *dict.fromkeys(one.note for one in tuned)))
    return Fitted(
        "linear", tuple(one.estimator for one in tuned), sample_words(size, total), note, task, outputs,
        folds=trials.each_fold([one.losses for one in tuned]),
    )  # fmt: skip


def affordable(features: Features, targets: Rows, task: Task, deadline: Deadline, seed: int) -> tuple[int, float]:
    """Samples on which tuning can end in time, from quick fits on growing samples; and how many times over.

    Without a deadline: as many as make `FIXED_CELLS` numbers.
    """
    total, width = features.shape
    if not deadline.timed:
        return max(min(total, FIRST_SAMPLE), min(total, FIXED_CELLS // width)), float("inf")
    size, allowed = min(total, FIRST_SAMPLE), deadline.left / PROBES
    while True:
        start = deadline.now()
        probe(features, targets, task, size, seed)
        used = max(deadline.now() - start, 1e-6)
        grown = min(total, 4 * size)
        factor = (grown / size) ** (2 if task == "regression" and size < width else 1)
        if size == total or (used * factor <= allowed and grown == total and not is_small(features)):
            return total, allowed / used
        if used * factor > allowed:
            return size if task == "regression" else max(size, min(grown, int(size * allowed / used))), 1.0
        size = grown


def probe(features: Features, targets: Rows, task: Task, size: int, seed: int) -> None:
    """A quick fit on a sample, to be timed."""
    kept = subsample(targets, size, seed)
    first = (pick(targets, 0) if task == "multi-label" else targets)[kept]
    if not one_class(first, task):
        _estimator(task, 1.0, PROBE_ITERATIONS).fit(features[kept], first)


def _estimator(task: Task, strength: float, iterations: int) -> Any:
    if task == "regression":
        return Ridge(alpha=1 / strength)
    return LogisticRegression(C=strength, max_iter=iterations, warm_start=True)


def _fit_one(
    features: Features, targets: Rows, trials: Trials, task: Task, column: int | None, deadline: Deadline
) -> _Tuned:
    mine = pick(targets, column)
    if one_class(mine, task):
        return _Tuned(DummyClassifier(strategy="prior").fit(features, mine), "a class that has no rival is constant")
    usable = [trial for trial in trials.trials if not one_class(pick(trial.targets, column), task)]
    estimator, strength, converged, losses = _tune(
        usable, trials.fine, task, column, deadline.share(0.7 if trials.again else 1)
    )
    if trials.again:
        if task != "regression" and not np.array_equal(getattr(estimator, "classes_", ()), np.unique(mine)):
            estimator = _estimator(task, strength, ITERATIONS)  # the last fold lacked a class: nothing to go on from
        _set(estimator, task, strength)
        converged = _advance(estimator, features, mine, task, deadline)
    penalty = f"penalty {1 / strength:.3g}" if task == "regression" else f"C = {strength:.3g}"
    return _Tuned(estimator, penalty if converged else f"{penalty}; stopped before it converged", losses)


def _tune(
    trials: list[Trial], fine: bool, task: Task, column: int | None, deadline: Deadline
) -> tuple[Any, float, bool, tuple[float, ...]]:
    """The estimator with the least held-out loss, its strength, whether it converged, and the loss of each trial."""
    grid = FINE_GRID if fine else COARSE_GRID
    running = [_estimator(task, grid[0], ITERATIONS) for _ in trials]
    best, best_loss, best_strength, worse, converged = _estimator(task, 1.0, ITERATIONS), np.inf, 1.0, 0, True
    best_losses: tuple[float, ...] = ()
    for rank, strength in enumerate(grid):
        losses, whole = [], True
        for index, (estimator, trial) in enumerate(zip(running, trials, strict=True)):
            left = (len(grid) - rank) * len(trials) - index
            _set(estimator, task, strength)
            truth = pick(trial.targets, column)
            whole &= _advance(estimator, trial.features, truth, task, deadline.share(1 / left))
            losses.append(held_loss(estimator, trial.held_features, pick(trial.held_targets, column), task))
        loss = float(np.mean(losses)) if losses else np.inf
        if loss < best_loss:
            best, best_loss, best_strength, worse, converged = copy.deepcopy(running[-1]), loss, strength, 0, whole
            best_losses = tuple(losses)
        else:
            worse += 1
        if worse == 2 or deadline.over:
            break
    return best, best_strength, converged, best_losses


def _set(estimator: Any, task: Task, strength: float) -> None:
    estimator.set_params(**({"alpha": 1 / strength} if task == "regression" else {"C": strength}))


def _advance(estimator: Any, features: Features, targets: Rows, task: Task, deadline: Deadline) -> bool:
    """Fit from where the estimator stands; whether it converged before the deadline."""
    if task == "regression":
        estimator.fit(features, targets)
        return True
    done, chunk = 0, FIRST_ITERATIONS if deadline.timed else ITERATIONS
    while done < ITERATIONS:
        start = deadline.now()
        estimator.set_params(max_iter=chunk).fit(features, targets)
        taken = int(np.max(estimator.n_iter_))
        done += max(taken, 1)
        if taken < chunk:
            return True
        seconds_each = (deadline.now() - start) / taken
        if deadline.timed and deadline.left < seconds_each * PROBE_ITERATIONS:
            return False
        if deadline.timed and seconds_each > 0:
            chunk = int(np.clip(deadline.left / seconds_each, PROBE_ITERATIONS, 100))
        chunk = max(1, min(chunk, ITERATIONS - done))
    return False
