"""Folds of a lone stack are blocks of neighbouring slices, with one slice dropped on either side."""

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


def test_too_few_slices_are_one_message() -> None:
    with pytest.raises(DataError, match="4 slices of one volume give no fold"):
        fold(cases(np.ones(4, np.int64), within_volume=True), Splits(), 0, 0)


def test_other_cases_are_drawn_and_only_so_many_are_predicted() -> None:
    many = cases(np.ones(400, np.int64), within_volume=False)
    parts = fold(many, Splits(), 0, 0)
    assert len(parts.test) == len(parts.validation) == MOST_CASES
    assert len(parts.train) == 400 - 2 * MOST_CASES
    assert any(after - before > 1 for before, after in pairwise(parts.test))


def test_a_fold_of_background_alone_is_one_message() -> None:
    there = np.zeros(40, np.int64)
    there[0] = 1
    with pytest.raises(DataError, match=r"one class only|no training sample"):
        check_folds(cases(there, within_volume=False), Splits(), tuple(range(5)))
