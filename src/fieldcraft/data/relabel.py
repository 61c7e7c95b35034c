"""Labels that a person corrected, read from a CSV with the columns id and label."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fieldcraft.data.dataset import Dataset
from fieldcraft.data.near import did_you_mean, listed
from fieldcraft.errors import DataError

COLUMNS = ("id", "label")


@dataclass(frozen=True)
class Fix:
    """One corrected label and the line of the file that it stands in."""

    line: int
    id: str
    label: str


def read_fixes(path: Path) -> tuple[Fix, ...]:
    """The lines of the file; further columns are not looked at.

    Raises: DataError when it is missing, is no such CSV, leaves a label empty, or gives one sample two labels.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = [name.strip() for name in reader.fieldnames or ()]
            if missing := [name for name in COLUMNS if name not in names]:
                raise DataError(
                    f"{path} (--relabel) must have the columns id and label, but lacks {listed(missing)}; it has "
                    f"{listed(names) or 'none'}."
                )
            reader.fieldnames = names
            fixes = [
                Fix(reader.line_num, str(row["id"] or "").strip(), str(row["label"] or "").strip()) for row in reader
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise DataError(
            f"{path} (--relabel) cannot be read: {why}. Give a CSV with the columns id and label."
        ) from error
    seen: dict[str, Fix] = {}
    for fix in fixes:
        if not fix.id or not fix.label:
            raise DataError(f"{path}, line {fix.line}: {'the label' if fix.id else 'the id'} is empty.")
        before = seen.setdefault(fix.id, fix)
        if before.label != fix.label:
            raise DataError(
                f"{path}, line {fix.line}: {fix.id!r} is labelled {fix.label!r}, but {before.label!r} in line "
                f"{before.line}. Keep one of the two lines."
            )
    return tuple(seen.values())


def relabelled(
    dataset: Dataset, fixes: tuple[Fix, ...], untouched: npt.NDArray[np.int64], origin: Path
) -> tuple[Dataset, tuple[Fix, ...], tuple[Fix, ...]]:
    """The data set with corrected labels, the fixes that changed one, and those left because they are of `untouched`.

    `untouched`: rows of the test part, whose labels stay as they are, so that results before and after can be compared.
    Raises: DataError naming the line of an id or a class that the data does not have.
    """
    targets = dataset.targets
    if targets.task != "single-label":
        raise DataError(f"--relabel corrects one class a sample, but {dataset.name} is {targets.task}.")
    rows = {name: row for row, name in enumerate(dataset.ids)}
    classes = {name: place for place, name in enumerate(targets.names)}
    kept = set(untouched.tolist())
    values = np.array(targets.values, dtype=np.int64)
    changed, left = [], []
    for fix in fixes:
        if fix.id not in rows:
            near = did_you_mean(fix.id, dataset.ids) if len(dataset) <= 20_000 else ""
            raise DataError(f"{origin}, line {fix.line}: {dataset.name} has no sample {fix.id!r}.{near}")
        if fix.label not in classes:
            raise DataError(
                f"{origin}, line {fix.line}: {fix.label!r} is no class of {dataset.name}."
                f"{did_you_mean(fix.label, classes)} There are {listed(classes)}."
            )
        row, label = rows[fix.id], classes[fix.label]
        if values[row] == label:
            continue
        if row in kept:
            left.append(fix)
            continue
        values[row] = label
        changed.append(fix)
    return replace(dataset, targets=replace(targets, values=values)), tuple(changed), tuple(left)
