"""Dates that are written as text: recognising the format, and reading by it."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from fieldcraft.data.near import listed
from fieldcraft.errors import DataError

LOOKS = r"^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d.*)?$"
"""Three numbers with separators, perhaps a time; cheaper than trying to parse everything."""
FORMATS = ("ISO8601", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M")
ENOUGH = 0.95
"""Share of the values that must be dates."""
SAMPLE = 2000


def date_format(values: pd.Series) -> str | None:
    """The format of a column of dates ("ISO8601" for true dates too), or None when it holds something else.

    Where days and months could be swapped, the month comes first, as in 12/31/2024.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        return "ISO8601"
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return None
    found = values.dropna()
    text = found.iloc[:: max(1, len(found) // SAMPLE)].astype(str)
    if not len(text) or text.str.match(LOOKS).mean() < ENOUGH:
        return None
    shares = {way: float(_parsed(text, way).notna().mean()) for way in FORMATS}
    best = max(shares, key=lambda way: shares[way])
    return best if shares[best] >= ENOUGH else None


def as_dates(values: pd.Series, way: str) -> npt.NDArray[np.datetime64]:
    """The dates in seconds, not-a-time where there is none that can be read."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return _naive(values)
    return _naive(_parsed(values.astype("string"), way))


def times_of(values: pd.Series, name: str) -> npt.NDArray[np.datetime64]:
    """When each sample was taken. Raises: DataError naming rows without a time."""
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        whole = np.unique(numbers, return_inverse=True)[1]
        times, wrong = whole.astype("datetime64[s]"), ~np.isfinite(numbers)
    else:
        times = as_dates(values, date_format(values) or "ISO8601")
        wrong = np.isnat(times)
    if wrong.any():
        shown = [f"{values.iloc[row]!r} (row {row})" for row in np.flatnonzero(wrong)[:5]]
        raise DataError(
            f"--time {name} must hold a date or a number in every row, but {int(wrong.sum())} do not: {listed(shown)}."
        )
    return times


def _parsed(text: pd.Series, way: str) -> pd.Series:
    return pd.to_datetime(text, format=way, errors="coerce", utc=True)


def _naive(values: pd.Series) -> npt.NDArray[np.datetime64]:
    if getattr(values.dt, "tz", None) is not None:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    seconds: npt.NDArray[np.datetime64] = values.to_numpy(dtype="datetime64[s]")
    return seconds
