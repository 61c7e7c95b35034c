"""Text and Parquet files as frames: separators, encodings, and what stands for a missing value."""

import csv
from pathlib import Path

import pandas as pd

from fieldcraft.data.near import listed
from fieldcraft.errors import DataError

TEXT = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
MISSING = ["?"]
"""Beside those that pandas knows (empty, NA, NaN, null, ...)."""


def is_table(path: Path) -> bool:
    """Whether its name says that it is a table."""
    name = path.name.lower().removesuffix(".gz")
    return name.endswith((".csv", ".tsv", *PARQUET)) and not name.startswith(".")


def read_frame(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """All rows and columns, with notes. Raises: DataError when it cannot be read as a table."""
    notes: tuple[str, ...] = ()
    try:
        if path.name.lower().endswith(PARQUET):
            frame = pd.read_parquet(path)
        else:
            frame, notes = _read_text(path)
    except DataError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file.") from error
    except Exception as error:  # parsers and Parquet engines raise a wide range on damaged files
        raise DataError(
            f"{path} cannot be read as a table: {str(error).splitlines()[0] if str(error) else error!r}."
        ) from error
    frame.columns = [str(column).strip() for column in frame.columns]
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise DataError(f"{path} has columns of the same name: {listed(sorted(set(twice)))}. Rename them.")
    if frame.empty:
        raise DataError(f"{path} has no rows ({len(frame.columns)} columns: {listed(frame.columns)}).")
    return frame, notes


def _read_text(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty: a first line with the names of the columns is needed.")
    for encoding, notes in (("utf-8-sig", ()), ("latin-1", ("the file is not UTF-8 and was read as Latin-1",))):
        try:
            separator = _separator(path, encoding)
            frame = pd.read_csv(path, sep=separator, encoding=encoding, na_values=MISSING, low_memory=False)
        except UnicodeDecodeError:
            continue
        return frame, notes
    raise DataError(f"{path} is no text file.")


def _separator(path: Path, encoding: str) -> str:
    """Tab for .tsv; else the one of , ; tab | that is most frequent in the first line, outside quotes."""
    if path.name.lower().removesuffix(".gz").endswith(".tsv"):
        return "\t"
    first = pd.read_csv(path, sep="\x01", header=None, nrows=1, encoding=encoding, quoting=csv.QUOTE_NONE)
    line = str(first.iloc[0, 0])
    outside = "".join(line.split('"')[::2])
    return max(",;\t|", key=lambda sign: (outside.count(sign), sign == ","))
