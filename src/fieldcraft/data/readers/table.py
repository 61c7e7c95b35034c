"""CSV, TSV and Parquet tables with one or several target columns."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from fieldcraft.data.columns import require, roles_of
from fieldcraft.data.dataset import Dataset, Reader, ReadOptions, Table
from fieldcraft.data.dates import times_of
from fieldcraft.data.groups import PART_NAMES, parts_from_column, torn
from fieldcraft.data.near import listed
from fieldcraft.data.tabular import is_table, read_frame
from fieldcraft.data.targets import recognise_columns
from fieldcraft.errors import DataError

LIKELY = ("target", "label", "class", "y", "outcome", "diagnosis", "price")
SPLIT = ("split", "part", "subset")


def recognise(path: Path) -> str | None:
    """A file whose name ends like a table's."""
    return f"its name ends in {path.suffix.lower()}" if path.is_file() and is_table(path) else None


def read(path: Path, options: ReadOptions) -> Dataset:
    """All rows that have a target.

    Raises: DataError when the target, group or time is not among the columns; it lists these.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder: give the table itself, a .csv, .tsv or .parquet file.")
    frame, notes = read_frame(path)
    return table_dataset(frame, options, name=path.stem, kind=READER.kind, origin=str(path), notes=notes)


def table_dataset(
    frame: pd.DataFrame, options: ReadOptions, *, name: str, kind: str, origin: str, notes: tuple[str, ...] = ()
) -> Dataset:
    """A data set from a frame; target, group, time and split columns are no features."""
    names = [str(column) for column in frame.columns]
    if not options.target:
        likely = [column for column in names if column.lower() in LIKELY] or names[-1:]
        raise DataError(
            f"{origin} needs --target COLUMN, the column to predict (perhaps {likely[0]!r}). It has: "
            f"{listed(names, 40)}."
        )
    require(frame, options.target, "--target", origin)
    frame, dropped = _with_targets(frame, options.target, origin)
    targets, seen = recognise_columns(frame[list(options.target)], task=options.task)
    groups = _groups(frame, options.group, origin)
    times = None
    if options.time:
        require(frame, (options.time,), "--time", origin)
        times = times_of(frame[options.time], options.time)
    split = _split_column(frame, {*options.target, options.group, options.time})
    given, said = parts_from_column(frame[split].tolist(), origin) if split else (None, ())
    away = {*options.target, options.group, options.time, split}
    features = frame[[column for column in frame.columns if column not in away]]
    if features.empty:
        raise DataError(f"{origin} has no column beside the target to learn from; it has {listed(names, 40)}.")
    roles, found = roles_of(features)
    return Dataset(
        name=name,
        kind=kind,
        inputs=Table(frame=features.reset_index(drop=True), roles=roles),
        targets=targets,
        ids=tuple(str(row) for row in frame.index),
        given=given,
        groups=groups,
        times=times,
        notes=(
            *notes,
            *seen,
            *dropped,
            *((f"column '{split}' gives the parts", *said) if split else ()),
            *found,
            *torn(groups, given),
        ),
    )


def _with_targets(frame: pd.DataFrame, names: tuple[str, ...], origin: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    frame = frame.reset_index(drop=True)
    there = frame[list(names)].notna().all(axis=1)
    gone = int((~there).sum())
    if gone == len(frame):
        raise DataError(f"{origin}: no row has a value in the target {listed(names)}.")
    return frame[there], ((f"{gone} rows without a target are left out",) if gone else ())


def _groups(frame: pd.DataFrame, name: str | None, origin: str) -> npt.NDArray[np.str_] | None:
    if name is None:
        return None
    require(frame, (name,), "--group", origin)
    missing = np.flatnonzero(frame[name].isna())
    if len(missing):
        raise DataError(
            f"{origin}: --group {name} must hold a value in every row, but {len(missing)} have none (the first: row "
            f"{missing[0]}). Fill them or leave the rows out."
        )
    groups: npt.NDArray[np.str_] = frame[name].astype(str).to_numpy(dtype=np.str_)
    return groups


def _split_column(frame: pd.DataFrame, taken: set[str | None]) -> str | None:
    """A column named like a split that holds nothing but names of parts."""
    for name in frame.columns:
        if name.lower() in SPLIT and name not in taken:
            values = {str(value).strip().lower() for value in frame[name].dropna().unique()}
            if values and values <= PART_NAMES.keys() and any(PART_NAMES[value] == "train" for value in values):
                return str(name)
    return None


READER = Reader(kind="table", recognise=recognise, read=read)
