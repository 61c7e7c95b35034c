"""What each column of a table is: a number, a category, a date, or nothing to learn from."""

import re
from typing import Literal

import numpy as np
import pandas as pd

from fieldcraft.data.dates import ENOUGH, date_format
from fieldcraft.data.near import did_you_mean, listed
from fieldcraft.errors import DataError

Role = Literal["numeric", "categorical", "date", "left-out"]
Roles = tuple[tuple[str, Role], ...]

ID_NAME = re.compile(
    r"(^|[_\W])(id|ids|uuid|guid|index|key)$|^(unnamed: ?\d+|rownames|row_?(number|id)?)$|[a-z]I[dD]$", re.I
)
MANY = 0.9
"""Text that differs in more than this share of the rows names them, and teaches nothing."""
AT_LEAST = 20
"""Rows before a column can be told to be an id by its values."""


def roles_of(frame: pd.DataFrame) -> tuple[Roles, tuple[str, ...]]:
    """The role of each column, with a note for every one that is left out or read as something it does not seem."""
    roles: list[tuple[str, Role]] = []
    notes: list[str] = []
    for place, name in enumerate(frame.columns):
        role, note = _role(frame.iloc[:, place], str(name))
        roles.append((str(name), role))
        notes.extend([f"column '{name}' {note}"] if note else [])
    return tuple(roles), tuple(notes)


def require(frame: pd.DataFrame, names: tuple[str, ...], option: str, origin: str) -> None:
    """Raises: DataError listing the columns when one of `names` is not among them."""
    have = [str(column) for column in frame.columns]
    for name in names:
        if name not in have:
            raise DataError(
                f"{origin} has no column '{name}' ({option}).{did_you_mean(name, have)} It has: {listed(have, 40)}."
            )


def _role(column: pd.Series, name: str) -> tuple[Role, str]:
    found = column.dropna()
    distinct = _distinct(found)
    if distinct is None:
        return "left-out", "holds lists or other objects and is left out"
    if distinct == 0:
        return "left-out", "is empty and left out"
    if distinct == 1 and len(found) == len(column) and len(column) > 1:
        return "left-out", "holds one value only and is left out"
    if date_format(column) is not None:
        return "date", "holds dates: year, month, weekday and elapsed days are made of it"
    if pd.api.types.is_bool_dtype(column):
        return "numeric", ""
    if pd.api.types.is_numeric_dtype(column):
        return _numeric_role(column, name, distinct)
    numbers = pd.to_numeric(found.astype(str), errors="coerce")
    if not isinstance(column.dtype, pd.CategoricalDtype) and numbers.notna().mean() >= ENOUGH and distinct > AT_LEAST:
        return "numeric", "holds numbers written as text; what is no number counts as missing"
    if len(found) >= AT_LEAST and distinct > MANY * len(found):
        return "left-out", "names nearly every row differently (an id or free text) and is left out"
    if ID_NAME.search(name) and distinct == len(column):
        return "left-out", "is an id and left out"
    return "categorical", ""


def _numeric_role(column: pd.Series, name: str, distinct: int) -> tuple[Role, str]:
    if distinct < len(column) or not pd.api.types.is_integer_dtype(column):
        return "numeric", ""
    if ID_NAME.search(name):
        return "left-out", "is an id and left out"
    steps = np.diff(column.to_numpy(dtype=np.int64))
    if len(column) >= AT_LEAST and (steps == 1).all():
        return "left-out", "counts the rows and is left out"
    return "numeric", ""


def _distinct(values: pd.Series) -> int | None:
    try:
        return int(values.nunique())
    except TypeError:
        return None
