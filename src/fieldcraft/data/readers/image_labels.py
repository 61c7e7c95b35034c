"""A folder of images with a labels.csv: path, label or number, and perhaps group and split."""

import re
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from fieldcraft.data.columns import require
from fieldcraft.data.dataset import Dataset, Reader, ReadOptions, Targets
from fieldcraft.data.dates import times_of
from fieldcraft.data.groups import groups_by_pattern, parts_from_column, torn
from fieldcraft.data.image_samples import image_files
from fieldcraft.data.near import listed
from fieldcraft.data.tabular import read_frame
from fieldcraft.data.targets import labels, recognise, recognise_columns
from fieldcraft.errors import DataError

FILES = ("labels.csv", "labels.tsv")
PATH = ("path", "file", "filename", "file_name", "image", "image_path", "filepath")
LABEL = ("label", "labels", "class", "classes", "number", "target", "value", "y")
SPLIT = ("split", "part", "subset", "set")
SEPARATORS = re.compile(r"\s*[;|]\s*")
MEANING: dict[str, Literal["classes", "numbers"]] = {
    "label": "classes",
    "class": "classes",
    "number": "numbers",
    "value": "numbers",
}
"""Names of columns that say what the column holds."""


def recognise_path(path: Path) -> str | None:
    """A folder with a labels.csv, or that file itself beside its images."""
    found = _labels_file(path)
    if found is None:
        return None
    if path.is_file():
        try:
            with path.open(encoding="utf-8-sig") as file:
                header = file.readline().lower()
        except (OSError, UnicodeDecodeError):
            return None
        return "it lists images" if re.split(r"[,;\t|]", header.strip())[0].strip('"') in PATH else None
    return f"it has a {found.name}"


def read(path: Path, options: ReadOptions) -> Dataset:
    """Rows of the list whose image can be read; the others are problems, by name.

    Raises: DataError when the list lacks a column or names a file twice.
    """
    source = _labels_file(path)
    if source is None:
        raise DataError(f"{path} has no labels.csv. Write one with the columns path and label.")
    frame, notes = read_frame(source)
    frame.columns = [name if name in options.target else name.lower() for name in frame.columns]
    column = next((name for name in PATH if name in frame.columns), None)
    if column is None:
        raise DataError(f"{source} has no column of paths ({listed(PATH)}); it has {listed(frame.columns)}.")
    split = next((name for name in SPLIT if name in frame.columns), None)
    group = options.group if options.group in frame.columns else ("group" if "group" in frame.columns else None)
    away = {name for name in (column, split, group, options.time) if name}
    targets = _target_columns(frame, away, options, source)
    frame, dropped = _complete(frame, column, targets, source)
    ids = [str(name).replace("\\", "/") for name in frame[column]]
    _once(ids, source)
    files, places, problems, mixed = image_files([source.parent / name for name in ids], ids, source)
    frame, ids = frame.iloc[places], [ids[place] for place in places]
    values, seen = _targets(frame[targets], options)
    given, blank = parts_from_column(frame[split].tolist(), str(source)) if split else (None, ())
    groups = frame[group].astype(str).to_numpy(dtype=np.str_) if group else None
    if options.group and options.group not in frame.columns:
        groups = groups_by_pattern(ids, options.group)
    return Dataset(
        name=source.parent.resolve().name,
        kind=READER.kind,
        inputs=files,
        targets=values,
        ids=tuple(ids),
        given=given,
        groups=groups,
        times=_times(frame, options.time, source),
        notes=(*notes, *seen, *dropped, *blank, *mixed, *torn(groups, given)),
        problems=problems,
    )


def _labels_file(path: Path) -> Path | None:
    if path.is_file():
        return path if path.name.lower() in FILES else None
    return next((path / name for name in FILES if (path / name).is_file()), None)


def _target_columns(frame: pd.DataFrame, away: set[str], options: ReadOptions, source: Path) -> list[str]:
    if options.target:
        require(frame, options.target, "--target", str(source))
        return list(options.target)
    named = [name for name in LABEL if name in frame.columns]
    if named:
        return named[:1]
    rest = [name for name in frame.columns if name not in away]
    if rest and all(set(frame[name].dropna().unique()) <= {0, 1} for name in rest):
        return rest
    raise DataError(
        f"{source} has no column of labels ({listed(LABEL)}), and its other columns are not all 0 and 1; it has "
        f"{listed(frame.columns)}. Rename one, or name it with --target."
    )


def _complete(
    frame: pd.DataFrame, column: str, targets: list[str], source: Path
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rows that have a path and a target; in a column `labels` an empty cell means: none of them."""
    if targets == ["labels"]:
        frame = frame.assign(labels=frame["labels"].astype(object).where(frame["labels"].notna(), ""))
    there = frame[[column, *targets]].notna().all(axis=1)
    if not there.any():
        raise DataError(f"{source} has no row with both a path and a label ({listed(targets)}).")
    gone = int((~there).sum())
    lines = listed([str(line + 2) for line in np.flatnonzero(~there)], 5)
    return frame[there], ((f"{gone} lines without a path or label are left out: line {lines}",) if gone else ())


def _once(ids: list[str], source: Path) -> None:
    counts = pd.Series(ids).value_counts()
    twice = counts[counts > 1]
    if len(twice):
        raise DataError(
            f"{source} names {len(twice)} images more than once: {listed(twice.index, 5)}. Keep one line an image; "
            "several labels go into one cell, parted by ';'."
        )


def _targets(frame: pd.DataFrame, options: ReadOptions) -> tuple[Targets, tuple[str, ...]]:
    if frame.shape[1] > 1:
        return recognise_columns(frame, task=options.task)
    name = str(frame.columns[0])
    values = frame[name]
    many = pd.api.types.is_string_dtype(values) and values.str.contains(r"[;|]").any()
    if options.task == "multi-label" or (
        options.task is None and (many or (name == "labels" and (values == "").any()))
    ):
        rows = [[label for label in SEPARATORS.split(str(cell).strip()) if label] for cell in values]
        found = labels(rows)
        return found, (f"'{name}' holds several labels a sample, {len(found.names)} different ones",)
    return recognise(values, name=name, task=options.task, meaning=MEANING.get(name))


def _times(frame: pd.DataFrame, name: str | None, source: Path) -> np.ndarray | None:
    if name is None:
        return None
    require(frame, (name,), "--time", str(source))
    return times_of(frame[name], name)


READER = Reader(kind="image-labels", recognise=recognise_path, read=read)
