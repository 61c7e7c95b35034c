from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.data.dataset import Dataset, ImageArray, Targets
from fieldcraft.data.folds import ORIGINS, SHARE, check_folds, fold
from fieldcraft.errors import DataError
from fieldcraft.plan.schema import Splits

SPLITS = Splits()


def made_up(counts: tuple[int, ...], groups: int = 0, *, times: bool = False) -> Dataset:
    values = np.repeat(np.arange(len(counts)), counts)
    total = len(values)
    return Dataset(
        name="made up",
        kind="arrays",
        inputs=ImageArray(pixels=np.zeros((total, 2, 2, 1), np.uint8)),
        targets=Targets(task="single-label", values=values, names=tuple(map(str, range(len(counts))))),
        ids=tuple(map(str, range(total))),
        groups=np.array([str(row % groups) for row in range(total)]) if groups else None,
        times=np.datetime64("2020-01-01") + np.random.default_rng(0).permutation(total) if times else None,
    )


@given(seed=st.integers(0, 2**62))
def test_a_fold_is_stratified_and_everything_is_in_one_part(seed: int) -> None:
    data = made_up((60, 40))
    parts = fold(data, SPLITS, seed, 0)
    every = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(every) == list(range(100))
    assert list(np.bincount(data.targets.values[parts.test].astype(int))) == [60 * SHARE, 40 * SHARE]


def test_folds_differ_by_seed_and_by_nothing_else() -> None:
    data = made_up((60, 40))
    assert list(fold(data, SPLITS, 1, 0).test) == list(fold(data, SPLITS, 1, 0).test)
    assert list(fold(data, SPLITS, 1, 0).test) != list(fold(data, SPLITS, 2, 0).test)


@given(seed=st.integers(0, 2**62))
def test_groups_stay_whole(seed: int) -> None:
    data = made_up((60, 60), groups=15)
    assert data.groups is not None
    parts = fold(data, SPLITS, seed, 0)
    sides = [set(data.groups[rows]) for rows in (parts.train, parts.validation, parts.test)]
    assert sum(len(side) for side in sides) == len(set.union(*sides)) == 15


@given(seed=st.integers(0, 2**62))
def test_with_times_a_fold_comes_after_what_is_trained_on(seed: int) -> None:
    data = made_up((60, 60), times=True)
    assert data.times is not None
    parts = fold(data, SPLITS, seed, 0)
    assert data.times[parts.train].max() < data.times[parts.validation].min()
    assert data.times[parts.validation].max() < data.times[parts.test].min()


def test_with_times_folds_take_turns() -> None:
    data = made_up((60, 60), times=True)
    found = [tuple(fold(data, SPLITS, 0, turn).test) for turn in range(8)]
    assert found[:4] == found[4:]
    assert len(set(found)) == ORIGINS == 4


def test_a_fold_of_one_class_is_refused() -> None:
    data = made_up((50, 50))
    alone = replace(data, groups=np.array(["a"] * 30 + [f"b{row}" for row in range(20)] + ["c"] * 50))
    with pytest.raises(DataError, match="one class only"):
        check_folds(replace(alone, times=np.datetime64("2020-01-01") + np.arange(100)), SPLITS, tuple(range(8)))


def test_a_class_without_training_samples_is_refused() -> None:
    data = made_up((40, 40, 10))
    values = np.array([0, 1] * 40 + [2] * 10)
    late = replace(
        data, targets=replace(data.targets, values=values), times=np.datetime64("2020-01-01") + np.arange(90)
    )
    with pytest.raises(DataError, match="no training sample"):
        check_folds(late, SPLITS, (0, 1, 2, 3))
