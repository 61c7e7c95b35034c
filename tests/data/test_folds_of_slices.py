"""Folds of a lone stack are blocks of neighbouring slices, with one slice dropped on either side."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.data.cases import Case, Cases, ClassTable, Geometry
from fieldcraft.data.dataset import Dataset, Targets
from fieldcraft.data.folds import MOST_CASES, check_folds, fold
from fieldcraft.errors import DataError
from fieldcraft.plan.schema import Splits


def cases(there: npt.NDArray[np.int64], *, within_volume: bool) -> Dataset:
    """Images with masks, none of them on disk. `there`: whether each has something in its mask."""
    geometry = Geometry(shape=(4, 4), spacing=(1.0, 1.0))
    found = tuple(
        Case(name=f"{row:03d}", images=(), mask=None, geometry=geometry, mask_geometry=None, channels=1, dtype="uint8")
        for row in range(len(there))
    )
    table = ClassTable(names=("nothing", "cell"), values=(0, 1))
    return Dataset(
        name="stack", kind="stack", ids=tuple(one.name for one in found),
        inputs=Cases(cases=found, table=table, spatial=2, channels=1, within_volume=within_volume),
        targets=Targets(task="segmentation", values=np.stack([np.ones_like(there), there], axis=1), names=table.names),
    )  # fmt: skip


@given(count=st.integers(10, 60), seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_fold_and_validation_are_blocks_apart_from_all_other_slices(count: int, seed: int) -> None:
    parts = fold(cases(np.ones(count, np.int64), within_volume=True), Splits(), seed, 0)
    for block in (parts.test, parts.validation):
        assert all(after - before == 1 for before, after in pairwise(block))
    assert len(parts.test) == round(0.2 * count)
    of = np.full(count, -1)
    for number, rows in enumerate((parts.train, parts.validation, parts.test)):
        assert len(rows) and (of[rows] == -1).all()
        of[rows] = number
    for before, after in pairwise(of):
        assert before == after or -1 in (before, after)
    assert (of == -1).sum() <= 4


def test_pairs_have_blocks_of_their_own() -> None:
    stack = cases(np.ones(24, np.int64), within_volume=True)
    assert len({int(fold(stack, Splits(), seed, 0).test[0]) for seed in range(40)}) > 10


def test_blocks_with_nothing_in_their_masks_are_no_folds() -> None:
    there = np.zeros(30, np.int64)
    there[10:20] = 1
    stack = cases(there, within_volume=True)
    assert all(there[fold(stack, Splits(), seed, 0).test].any() for seed in range(40))
    check_folds(stack, Splits(), tuple(range(5)))


def two_classes(cell: slice, wall: slice, count: int = 30) -> Dataset:
    """A stack with a class in some of its slices and another in others."""
    there = np.zeros((count, 2), np.int64)
    there[cell, 0] = there[wall, 1] = 1
    stack = cases(there[:, 0], within_volume=True)
    values = np.concatenate([np.ones((count, 1), np.int64), there], axis=1)
    return replace(stack, targets=replace(stack.targets, values=values, names=("nothing", "cell", "wall")))


@given(first=st.integers(0, 24), length=st.integers(3, 6), seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_no_fold_takes_all_slices_of_a_class(first: int, length: int, seed: int) -> None:
    stack = two_classes(slice(0, 30), slice(first, first + length))
    assert (stack.targets.values[fold(stack, Splits(), seed, 0).train, 2] != 0).any()


def test_a_class_of_one_slice_is_always_trained_on() -> None:
    stack = two_classes(slice(0, 30), slice(14, 15))
    assert all(14 in fold(stack, Splits(), seed, 0).train for seed in range(40))
    check_folds(stack, Splits(), tuple(range(20)))


def test_validation_has_something_in_its_masks_where_it_can() -> None:
    there = np.zeros(30, np.int64)
    there[8:22] = 1
    stack = cases(there, within_volume=True)
    assert all(there[fold(stack, Splits(), seed, 0).validation].any() for seed in range(40))
    there[:], there[14:16] = 0, 1
    assert any(not there[fold(stack, Splits(), seed, 0).validation].any() for seed in range(40))


def test_too_few_slices_are_one_message() -> None:
    with pytest.raises(DataError, match="4 slices of one volume give no fold"):
        fold(cases(np.ones(4, np.int64), within_volume=True), Splits(), 0, 0)
    apart = two_classes(slice(0, 1), slice(29, 30))
    with pytest.raises(DataError, match="every class in them"):
        fold(apart, Splits(), 0, 0)


def test_other_cases_are_drawn_and_only_so_many_are_predicted() -> None:
    many = cases(np.ones(400, np.int64), within_volume=False)
    parts = fold(many, Splits(), 0, 0)
    assert len(parts.test) == len(parts.validation) == MOST_CASES
    assert len(parts.train) == 400 - 2 * MOST_CASES
    assert any(after - before > 1 for before, after in pairwise(parts.test))


@pytest.mark.parametrize(
    ("place", "told"),
    [(0, "a fold of 8 of the 40 samples holds one class only"), (39, "no training sample beside .*: 'cell'")],
)
def test_folds_that_lack_a_class_are_one_message(place: int, told: str) -> None:
    """One case has something in its mask, and the latest are scored."""
    one = cases(np.eye(1, 40, place, dtype=np.int64)[0], within_volume=False)
    with pytest.raises(DataError, match=told):
        check_folds(replace(one, times=np.arange(40.0)), Splits(), (0,))
