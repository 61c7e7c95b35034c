"""Folds for repeated trainings: each pair of trainings gets its own, drawn anew and set aside to be scored on."""

import numpy as np

from fieldcraft.data.dataset import Dataset
from fieldcraft.data.draw import draw_latest
from fieldcraft.data.near import listed
from fieldcraft.data.splits import Parts, Rows, drawn
from fieldcraft.errors import DataError
from fieldcraft.plan.schema import Splits

SHARE = 0.2
"""Of the samples, set aside as a fold."""
MOST_SCORED = 10_000
"""Samples of a fold, so that scoring stays short beside training."""
ORIGINS = 4
"""Stretches of time whose latest samples are folds, in turn; each ends a tenth of all samples before the one above."""
STEP = 0.1


def fold(dataset: Dataset, splits: Splits, seed: int, turn: int) -> Parts:
    """The fold of one pair, as the test part; the rest is parted into training and validation as a planner parts it.

    All samples of the data set take part. Drawn by the seed, stratified, groups stay whole; with times the fold holds
    the latest samples of one of four stretches of time, in turn (then some samples are in no part: they come later).
    Raises: DataError when the samples are too few for it.
    """
    pool = np.arange(len(dataset), dtype=np.int64)
    if dataset.times is not None:
        pool = _until(dataset, pool, turn % ORIGINS)
    share = min(SHARE, MOST_SCORED / len(pool))
    rest, held = drawn(dataset, pool, share, seed, "test")
    train, validation = drawn(dataset, rest, min(splits.validation, MOST_SCORED / len(rest)), seed, "validation")
    return Parts(train=train, validation=validation, test=held)


def check_folds(dataset: Dataset, splits: Splits, seeds: tuple[int, ...]) -> Parts:
    """The fold of the first pair, once those of all have been looked at; `seeds`: one a pair.

    Raises: DataError when the samples are too few, or a fold holds one class only.
    """
    folds = [fold(dataset, splits, seed, turn) for turn, seed in enumerate(seeds)]
    targets = dataset.targets
    if targets.task != "regression":
        for one in folds:
            values = targets.values[one.test]
            alone = len(np.unique(values)) < 2 if targets.task == "single-label" else not values.any(axis=0).any()
            if alone:
                raise DataError(
                    f"a fold of {len(one.test)} of the {len(dataset)} samples holds one class only: nothing can be "
                    "told from it. Give more samples of the other classes, or leave out --group and --time where they "
                    "force such folds."
                )
            trained = values_of(dataset, one.train)
            if missing := [name for name, count in zip(targets.names, trained, strict=True) if not count]:
                raise DataError(
                    f"{len(missing)} class(es) or label(s) have no training sample beside a fold of {len(one.test)} "
                    f"samples: {listed(missing)}. Give more samples of them, or leave them out."
                )
    return folds[0]


def values_of(dataset: Dataset, rows: Rows) -> Rows:
    """Samples of each class, or with each label, among some rows."""
    values = dataset.targets.values[rows].astype(np.int64)
    if dataset.targets.task == "single-label":
        return np.bincount(values, minlength=len(dataset.targets.names))
    counts: Rows = values.sum(axis=0)
    return counts


def _until(dataset: Dataset, pool: Rows, origin: int) -> Rows:
    """The samples before the last tenths of them, as many as `origin` says."""
    assert dataset.times is not None
    later = round(STEP * origin * len(pool))
    if not later:
        return pool
    groups = None if dataset.groups is None else np.unique(dataset.groups[pool], return_inverse=True)[1]
    return pool[~draw_latest(dataset.times[pool], groups, later)]
