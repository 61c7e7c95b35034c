"""What is to be predicted: classes, labels or numbers, recognised from the values."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from fieldcraft.data.dataset import Targets
from fieldcraft.data.near import listed
from fieldcraft.errors import DataError
from fieldcraft.records.facts import Task

FEW = 20
"""Whole numbers of at most this many levels are taken for classes."""
SHARE = 0.05
"""More levels than this share of the samples are taken for numbers to be predicted."""

Recognised = tuple[Targets, tuple[str, ...]]
Meaning = Literal["classes", "numbers"]


def recognise(values: pd.Series, *, name: str, task: Task | None = None, meaning: Meaning | None = None) -> Recognised:
    """Targets from one column without missing values, and notes on every choice that could have gone otherwise.

    `task` settles it; else `meaning` does, where the source says what its column holds; else the values do: text and
    true/false are classes, numbers with fractions are to be predicted as numbers, and whole numbers are classes when
    they are few.
    """
    _no_masks(task)
    if task == "multi-label":
        raise DataError(f"'{name}' is one column of single values: multi-label needs several columns of 0 and 1.")
    if task == "regression" or (task is None and meaning == "numbers"):
        return numbers([values], [name]), ()
    if task == "single-label" or not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return classes(values), ()
    distinct = values.nunique()
    if not _whole(values):
        return numbers([values], [name]), (f"'{name}' holds numbers with fractions: to be predicted as numbers",)
    if pd.api.types.is_float_dtype(values):
        if distinct <= FEW:
            note = f"'{name}' holds {distinct} whole numbers written as floats: taken for classes"
            return classes(values), (note,)
        return numbers([values], [name]), (f"'{name}' holds {distinct} different floats: to be predicted as numbers",)
    if meaning == "classes" or distinct <= FEW:
        return classes(values), (f"'{name}' holds {distinct} whole numbers: taken for classes",)
    once = int((values.value_counts() == 1).sum())
    if distinct > SHARE * len(values) or once:
        why = f"in {len(values):,} samples" if not once else f"of which {once} occur only once"
        note = f"'{name}' holds {distinct} different whole numbers, {why}: to be predicted as numbers"
        return numbers([values], [name]), (note,)
    return classes(values), (f"'{name}' holds {distinct} whole numbers, each many times: taken for classes",)


def recognise_columns(frame: pd.DataFrame, *, task: Task | None = None) -> Recognised:
    """Targets from several columns: labels when all hold only 0 and 1, else numbers."""
    _no_masks(task)
    names = [str(column) for column in frame.columns]
    if len(names) == 1:
        return recognise(frame.iloc[:, 0], name=names[0], task=task)
    if task == "single-label":
        raise DataError(f"single-label needs one target column, but {len(names)} were named: {listed(names)}.")
    columns = [frame.iloc[:, place] for place in range(len(names))]
    if task != "regression" and all(_zero_one(column) for column in columns):
        values = np.stack([column.to_numpy(dtype=np.uint8) for column in columns], axis=1)
        note = f"{len(names)} target columns of 0 and 1: any number of labels a sample"
        return Targets(task="multi-label", values=values, names=tuple(names)), (note,)
    if task == "multi-label":
        odd = [name for name, column in zip(names, columns, strict=True) if not _zero_one(column)]
        raise DataError(f"multi-label columns must hold 0 and 1 only, but these do not: {listed(odd)}.")
    return numbers(columns, names), (f"{len(names)} target columns of numbers",)


def recognise_array(values: np.ndarray, *, task: Task | None = None, names: Sequence[str] = ()) -> Recognised:
    """Targets from an array (n,), (n, 1), (n, labels) of 0 and 1, or (n, targets)."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 1:
        targets, notes = recognise(pd.Series(values), name="y", task=task)
        return _renamed(targets, names), notes
    if values.ndim != 2:
        raise DataError(f"y must have one or two axes, but has shape {values.shape}.")
    one_hot = values.dtype.kind in "biuf" and bool(np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all())
    if one_hot and task in (None, "single-label"):
        targets = classes(pd.Series(values.argmax(axis=1)))
        return _renamed(targets, names), (f"y {values.shape} has one 1 in each row: taken for classes",)
    labels = names if len(names) == values.shape[1] else [f"y{place}" for place in range(values.shape[1])]
    return recognise_columns(pd.DataFrame(values, columns=list(labels)), task=task)


def _no_masks(task: Task | None) -> None:
    if task == "segmentation":
        raise DataError("segmentation needs images with a mask each: folders images/ and masks/, or nnU-Net's layout.")


def classes(values: pd.Series) -> Targets:
    """One class a sample; names in the order of numbers where all are numbers, else of the alphabet."""
    text = values.map(class_name)
    names = in_order(set(text))
    codes = pd.Categorical(text, categories=names).codes.astype(np.int64)
    return Targets(task="single-label", values=codes, names=tuple(names))


def labels(rows: Sequence[Sequence[str]]) -> Targets:
    """Any number of labels a sample."""
    names = in_order({label for row in rows for label in row})
    place = {name: index for index, name in enumerate(names)}
    values = np.zeros((len(rows), len(names)), np.uint8)
    for row, found in enumerate(rows):
        values[row, [place[label] for label in found]] = 1
    return Targets(task="multi-label", values=values, names=tuple(names))


def numbers(columns: Sequence[pd.Series], names: Sequence[str]) -> Targets:
    """Numbers to be predicted, in their own units.

    Raises: DataError naming the first values that are no finite numbers.
    """
    values = np.empty((len(columns[0]), len(columns)))
    for place, (column, name) in enumerate(zip(columns, names, strict=True)):
        values[:, place] = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = np.flatnonzero(~np.isfinite(values[:, place]))
        if len(wrong):
            shown = [f"{column.iloc[row]!r} (row {row})" for row in wrong[:5]]
            raise DataError(
                f"'{name}' must hold finite numbers to be predicted as such, but holds {listed(shown)}; "
                f"{len(wrong)} in all. Correct or leave out these rows."
            )
    return Targets(task="regression", values=values, names=tuple(names))


def class_name(value: object) -> str:
    """As it is shown; 3.0 and 3 are the same class."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def in_order(names: set[str]) -> list[str]:
    """By number where all are numbers, else by the alphabet."""
    try:
        return sorted(names, key=lambda name: (float(name), name))
    except ValueError:
        return sorted(names)


def _renamed(targets: Targets, names: Sequence[str]) -> Targets:
    """With class names from elsewhere, when the classes are their numbers 0, 1, ..."""
    if targets.task != "single-label" or not names:
        return targets
    try:
        places = [int(name) for name in targets.names]
    except ValueError:
        return targets
    if min(places) < 0 or max(places) >= len(names):
        return targets
    return Targets(task="single-label", values=targets.values, names=tuple(names[place] for place in places))


def _whole(values: pd.Series) -> bool:
    found = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return bool(np.isfinite(found).all() and (found == np.rint(found)).all())


def _zero_one(values: pd.Series) -> bool:
    if pd.api.types.is_bool_dtype(values):
        return True
    return bool(pd.api.types.is_numeric_dtype(values) and values.isin((0, 1)).all())
