"""Fit a baseline, in the time and with the threads that it may have."""

import warnings
from dataclasses import replace
from typing import assert_never

import numpy as np
from threadpoolctl import threadpool_limits

from fieldcraft.baselines import boosting, linear
from fieldcraft.baselines.boosting import fit_boosting
from fieldcraft.baselines.deadline import Deadline
from fieldcraft.baselines.fitted import Features, Fitted, Kind, Rows
from fieldcraft.baselines.linear import fit_linear
from fieldcraft.baselines.majority import fit_majority
from fieldcraft.errors import DataError
from fieldcraft.records.facts import Task

SHARED_CELLS = 200_000
"""Numbers from which on sharing the work between threads pays."""
PROBED_CELLS = 400_000
ROUNDS = 2
WORTH_A_TRIAL_S = 4.0


def fit_baseline(
    kind: Kind,
    features: Features,
    targets: Rows,
    task: Task,
    outputs: int,
    *,
    seconds: float | None,
    threads: int,
    seed: int,
    validation: tuple[Features, Rows] | None = None,
    groups: Rows | None = None,
) -> Fitted:
    """Tune and fit one baseline; it ends in about `seconds`, on a stated subsample where that is needed.

    `features`: (n, d) float32 without missing values; standardised for tables, pixels in [0, 1] for images.
    `targets`: (n,) class indices, (n, labels) of 0 and 1, or (n,) or (n, targets) numbers. `validation` judges settings
    where the training part is too large for cross-validation; `groups` keeps samples together in cross-validation.
    With `seconds=None` the work is fixed: same input and seed, same result, on any clock.
    Raises: DataError when the shapes do not fit or numbers are not finite.
    """
    deadline = Deadline.after(seconds)
    _check(features, targets, task, outputs)
    count = _threads(kind, features, targets, task, outputs, deadline, threads, seed)
    with threadpool_limits(limits=count), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = _fit(kind, features, targets, task, outputs, deadline, seed, validation, groups)
    return _with_warnings(fitted, [warning.category.__name__ for warning in caught])


def _threads(
    kind: Kind, features: Features, targets: Rows, task: Task, outputs: int, deadline: Deadline, threads: int, seed: int
) -> int:
    """At most `threads`; one where the work is too small to share, or where quick fits are faster with one.

    On a machine that others use too, threads that wait for each other can be a hundred times slower than one alone, so
    several have to win each of `ROUNDS` times. Trees of few columns never gain from a second thread.
    """
    narrow = kind == "boosting" and features.shape[1] <= boosting.MANY_COLUMNS
    if kind == "majority" or threads == 1 or narrow or features.size < SHARED_CELLS:
        return 1
    if not deadline.timed:
        return threads
    if deadline.left < WORTH_A_TRIAL_S:
        return 1
    if kind == "boosting" and boosting.least_seconds(features, targets, task, outputs, deadline, seed) > deadline.left:
        return 1
    probe = linear.probe if kind == "linear" else boosting.probe
    size = min(len(features), PROBED_CELLS // features.shape[1] + 1)
    for _ in range(ROUNDS):
        seconds = []
        for count in (1, threads):
            with threadpool_limits(limits=count), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                start = deadline.now()
                probe(features, targets, task, size, seed)
                seconds.append(deadline.now() - start)
        if seconds[0] <= seconds[1]:
            return 1
    return threads


def _fit(
    kind: Kind,
    features: Features,
    targets: Rows,
    task: Task,
    outputs: int,
    deadline: Deadline,
    seed: int,
    validation: tuple[Features, Rows] | None,
    groups: Rows | None,
) -> Fitted:
    match kind:
        case "majority":
            return fit_majority(features, targets, task, outputs)
        case "linear":
            return fit_linear(
                features, targets, task, outputs, deadline=deadline, seed=seed, groups=groups, validation=validation
            )
        case "boosting":
            return fit_boosting(
                features, targets, task, outputs, deadline=deadline, seed=seed, groups=groups, validation=validation
            )
        case _:
            assert_never(kind)


def _check(features: Features, targets: Rows, task: Task, outputs: int) -> None:
    columns = 1 if targets.ndim == 1 else targets.shape[1]
    if features.ndim != 2 or len(features) != len(targets) or len(features) == 0:
        raise DataError(
            f"a baseline needs features (n, d) and n targets with n >= 1, but got {features.shape} and {targets.shape}."
        )
    if (task == "single-label") != (targets.ndim == 1) and not (task == "regression" and outputs == 1):
        raise DataError(f"targets of shape {targets.shape} do not fit the task {task} with {outputs} outputs.")
    if task != "single-label" and columns != outputs:
        raise DataError(f"targets have {columns} columns, but {outputs} outputs were announced.")
    if not np.isfinite(features).all():
        rows = np.flatnonzero(~np.isfinite(features).all(axis=1))
        raise DataError(
            f"a baseline needs finite features, but {len(rows)} of {len(features)} samples hold NaN or infinity, the "
            f"first is number {rows[0]}. Encode the table (which fills missing values) before fitting."
        )


def _with_warnings(fitted: Fitted, categories: list[str]) -> Fitted:
    """The note says which warnings came up; none escapes. Whether it converged stands in the note already."""
    spoken = [f"scikit-learn warned: {name}" for name in dict.fromkeys(categories) if name != "ConvergenceWarning"]
    if not spoken:
        return fitted
    note = "; ".join((fitted.note, *spoken))
    return replace(fitted, note=note)
