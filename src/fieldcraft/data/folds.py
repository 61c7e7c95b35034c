"""Folds for repeated trainings: each pair of trainings gets its own, drawn anew and set aside to be scored on."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fieldcraft.data.cases import Cases
from fieldcraft.data.dataset import Dataset
from fieldcraft.data.draw import draw_latest
from fieldcraft.data.near import listed
from fieldcraft.data.splits import Parts, Rows, drawn, missing
from fieldcraft.data.take import take
from fieldcraft.errors import DataError
from fieldcraft.plan.schema import Splits
from fieldcraft.records.streams import stream_seed

SHARE = 0.2
"""Of the samples, set aside as a fold."""
MOST_SCORED = 10_000
"""Samples of a fold, so that scoring stays short beside training."""
MOST_CASES = 24
"""Cases of a fold where each is an image with a mask, whose prediction takes longer than training steps."""
ORIGINS = 4
"""Stretches of time whose latest samples are folds, in turn; each ends a tenth of all samples before the one above."""
STEP = 0.1


def pooled(dataset: Dataset, parts: Parts) -> Dataset:
    """The samples that folds are drawn from, those of the training and validation parts: the test part stays apart.

    Slices of one volume are of one group, whatever block they were in.
    """
    pool = take(dataset, rows_of(parts))
    return replace(pool, groups=np.array(["one volume"] * len(pool))) if within_volume(pool) else pool


def rows_of(parts: Parts) -> Rows:
    """Those of the training and validation parts, ascending."""
    rows: Rows = np.sort(np.concatenate([parts.train, parts.validation]))
    return rows


def fold(dataset: Dataset, splits: Splits, seed: int, turn: int) -> Parts:
    """The fold of one pair, as the test part; the rest is parted into training and validation as a planner parts it.

    All samples of the data set take part. Drawn by the seed, stratified, groups stay whole; with times the fold holds
    the latest samples of one of four stretches of time, in turn (then some samples are in no part: they come later).
    Slices of one volume are parted in blocks of neighbours with one slice dropped between them.
    Raises: DataError when the samples are too few for it.
    """
    if within_volume(dataset):
        return _of_slices(dataset, splits, seed)
    pool = np.arange(len(dataset), dtype=np.int64)
    if dataset.times is not None:
        pool = _until(dataset, pool, turn % ORIGINS)
    most = MOST_CASES if isinstance(dataset.inputs, Cases) else MOST_SCORED
    rest, held = drawn(dataset, pool, min(SHARE, most / len(pool)), seed, "test")
    train, validation = drawn(dataset, rest, min(splits.validation, most / len(rest)), seed, "validation")
    return Parts(train=train, validation=validation, test=held)


def within_volume(dataset: Dataset) -> bool:
    """Whether the samples are slices of one volume, in their order."""
    return isinstance(dataset.inputs, Cases) and dataset.inputs.within_volume


def check_folds(dataset: Dataset, splits: Splits, seeds: tuple[int, ...]) -> Parts:
    """The fold of the first pair, once those of all have been looked at; `seeds`: one a pair.

    Raises: DataError when the samples are too few, or a fold holds one class only.
    """
    folds = [fold(dataset, splits, seed, turn) for turn, seed in enumerate(seeds)]
    if dataset.targets.task != "regression":
        for one in folds:
            if _says_nothing(dataset, one.test):
                raise DataError(
                    f"a fold of {len(one.test)} of the {len(dataset)} samples holds one class only: nothing can be "
                    "told from it. Give more samples of the other classes, or leave out --group and --time where they "
                    "force such folds."
                )
            if gone := missing(dataset.targets, one.train):
                raise DataError(
                    f"{len(gone)} class(es) or label(s) have no training sample beside a fold of {len(one.test)} "
                    f"samples: {listed(gone)}. Give more samples of them, or leave them out."
                )
    return folds[0]


def _says_nothing(dataset: Dataset, rows: Rows) -> bool:
    """Whether samples are of one class alone, or masks of the background."""
    values = dataset.targets.values[rows]
    match dataset.targets.task:
        case "single-label":
            return len(np.unique(values)) < 2
        case "segmentation":
            return not values[:, 1:].any()
        case _:
            return not values.any()


def _of_slices(dataset: Dataset, splits: Splits, seed: int) -> Parts:
    """A block of neighbouring slices as the fold, another for validation, and the rest but the slices beside them.

    Blocks with nothing but background are no folds, nor are those that leave a class without training slices. A block
    for validation has something in its masks where one can.
    """
    count = len(dataset)
    random = np.random.default_rng(stream_seed(seed, "split", "slices"))
    held = max(1, round(SHARE * count))
    wanted = max(1, round(splits.validation * (count - held)))
    for first in random.permutation(count - held + 1):
        block = _block(int(first), held)
        if _says_nothing(dataset, block):
            continue
        free = _free(np.ones(count, np.bool_), int(first), held)
        starts = [one for one in range(count - wanted + 1) if free[one : one + wanted].all()]
        rests = {one: _free(free, one, wanted) for one in starts}
        starts = [one for one in starts if rests[one].any() and not missing(dataset.targets, _rows(rests[one]))]
        starts = [one for one in starts if not _says_nothing(dataset, _block(one, wanted))] or starts
        if starts:
            start = int(random.choice(starts))
            return Parts(train=_rows(rests[start]), validation=_block(start, wanted), test=block)
    raise DataError(
        f"{count} slices of one volume give no fold: a block of neighbours with something in its masks, another for "
        "validation, a slice dropped beside each, and slices to train on with every class in them. Give a longer "
        "stack, or more volumes."
    )


def _block(first: int, length: int) -> Rows:
    return np.arange(first, first + length, dtype=np.int64)


def _rows(some: npt.NDArray[np.bool_]) -> Rows:
    return np.flatnonzero(some).astype(np.int64)


def _free(slices: npt.NDArray[np.bool_], first: int, length: int) -> npt.NDArray[np.bool_]:
    """The slices that are left once a block and the slices beside it are taken."""
    left = slices.copy()
    left[max(0, first - 1) : first + length + 1] = False
    return left


def _until(dataset: Dataset, pool: Rows, origin: int) -> Rows:
    """The samples before the last tenths of them, as many as `origin` says."""
    assert dataset.times is not None
    later = round(STEP * origin * len(pool))
    if not later:
        return pool
    groups = None if dataset.groups is None else np.unique(dataset.groups[pool], return_inverse=True)[1]
    return pool[~draw_latest(dataset.times[pool], groups, later)]
