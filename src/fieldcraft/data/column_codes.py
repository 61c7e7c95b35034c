"""How one column of a table becomes numbers: `Numeric`, `Categorical`, `Date`."""

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field
from pydantic.dataclasses import dataclass
from scipy.special import ndtri

from fieldcraft.data.dates import as_dates, date_format
from fieldcraft.data.targets import class_name

QUANTILES = 1000
"""Reference points of the quantile scaling, as in scikit-learn's QuantileTransformer."""
EDGE = 1e-7
"""Ranks are kept this far from 0 and 1, so that no number becomes infinite."""
DAY = 86_400.0
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Numeric:
    """(value - mean) / deviation, or the normal quantile of the value's rank; a missing value is the mean."""

    kind: Literal["numeric"] = "numeric"
    column: str
    mean: float
    scale: float
    missing: bool
    """Whether values were missing in training: then a second column says so."""
    quantiles: tuple[float, ...] = ()
    """Reference values of the quantile scaling; none for standard scaling."""

    @classmethod
    def fit(cls, values: pd.Series, way: Literal["standard", "quantile"]) -> "Numeric":
        """Mean, deviation and quantiles of the values that are there."""
        all_values = as_numbers(values)
        found = all_values[np.isfinite(all_values)]
        mean, scale = mean_and_scale(found)
        points: Floats = np.empty(0)
        if way == "quantile" and len(found):
            points = np.quantile(found, np.linspace(0, 1, min(QUANTILES, len(found))))
        return cls(
            column=str(values.name),
            mean=mean,
            scale=scale,
            missing=len(found) < len(all_values),
            quantiles=tuple(points.tolist()),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the encoded columns."""
        return (self.column, f"{self.column}:missing") if self.missing else (self.column,)

    def transform(self, values: pd.Series) -> Floats:
        """Shape: (rows, 1 or 2)."""
        numbers = as_numbers(values)
        gone = ~np.isfinite(numbers)
        filled = np.where(gone, self.mean, numbers)
        scaled = self._ranked(filled) if self.quantiles else (filled - self.mean) / self.scale
        return beside(np.where(gone, 0.0, scaled), gone, self.missing)

    def _ranked(self, values: Floats) -> Floats:
        """The normal quantile of the rank; ties get the middle of their ranks (from below and from above)."""
        points = np.array(self.quantiles)
        ranks = np.linspace(0, 1, len(points)) if len(points) > 1 else np.array([0.5])
        below = np.interp(values, points, ranks)
        above = -np.interp(-values, -points[::-1], -ranks[::-1])
        normal: Floats = ndtri(np.clip((below + above) / 2, EDGE, 1 - EDGE))
        return normal


@dataclass(frozen=True, kw_only=True)
class Categorical:
    """A column of 0 and 1 for each frequent level, and one for all others, seen or not."""

    kind: Literal["categorical"] = "categorical"
    column: str
    levels: tuple[str, ...]
    missing: bool
    """Whether values were missing in training: then a column says so; else they count among the others."""

    @classmethod
    def fit(cls, values: pd.Series, max_levels: int) -> "Categorical":
        """The most frequent levels, ties in the order of the alphabet."""
        text = as_levels(values)
        counts = text.value_counts()
        order = sorted(counts.index, key=lambda level: (-int(counts[level]), level))
        return cls(column=str(values.name), levels=tuple(sorted(order[:max_levels])), missing=bool(text.isna().any()))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the encoded columns."""
        shown = (*(f"{self.column}={level}" for level in self.levels), f"{self.column}:other")
        return (*shown, f"{self.column}:missing") if self.missing else shown

    def transform(self, values: pd.Series) -> npt.NDArray[np.float32]:
        """Shape: (rows, levels + 1 or 2)."""
        text = as_levels(values)
        place = {level: index for index, level in enumerate(self.levels)}
        codes = text.map(place).to_numpy(dtype=np.float64, na_value=len(place)).astype(np.int64)
        if self.missing:
            codes[text.isna().to_numpy()] = len(place) + 1
        block = np.zeros((len(codes), len(self.names)), np.float32)
        block[np.arange(len(codes)), codes] = 1
        return block


@dataclass(frozen=True, kw_only=True)
class Date:
    """Year and elapsed days, standardised; month and weekday as points on a circle."""

    kind: Literal["date"] = "date"
    column: str
    format: str
    year_mean: float
    year_scale: float
    days_mean: float
    """Days since 1970-01-01."""
    days_scale: float
    missing: bool

    @classmethod
    def fit(cls, values: pd.Series) -> "Date":
        """Mean and deviation of years and days."""
        way = date_format(values) or "ISO8601"
        dates = as_dates(values, way)
        found = dates[~np.isnat(dates)]
        year_mean, year_scale = mean_and_scale(_years(found))
        days_mean, days_scale = mean_and_scale(_days(found))
        return cls(
            column=str(values.name),
            format=way,
            year_mean=year_mean,
            year_scale=year_scale,
            days_mean=days_mean,
            days_scale=days_scale,
            missing=len(found) < len(dates),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the encoded columns."""
        parts = ("year", "month-sine", "month-cosine", "weekday-sine", "weekday-cosine", "days")
        shown = tuple(f"{self.column}:{part}" for part in parts)
        return (*shown, f"{self.column}:missing") if self.missing else shown

    def transform(self, values: pd.Series) -> Floats:
        """Shape: (rows, 6 or 7)."""
        dates = as_dates(values, self.format)
        gone = np.isnat(dates)
        dates = np.where(gone, np.datetime64(0, "s"), dates)
        month = dates.astype("datetime64[M]").astype(np.int64) % 12 * (2 * np.pi / 12)
        # 1970-01-01 was a Thursday: three days after a Monday.
        weekday = (dates.astype("datetime64[D]").astype(np.int64) + 3) % 7 * (2 * np.pi / 7)
        year = (_years(dates) - self.year_mean) / self.year_scale
        days = (_days(dates) - self.days_mean) / self.days_scale
        block = np.stack([year, np.sin(month), np.cos(month), np.sin(weekday), np.cos(weekday), days], axis=1)
        return beside(np.where(gone[:, None], 0.0, block), gone, self.missing)


Code = Annotated[Numeric | Categorical | Date, Field(discriminator="kind")]


def as_numbers(values: pd.Series) -> Floats:
    """Numbers, with NaN for what is none."""
    numbers: Floats = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers


def as_levels(values: pd.Series) -> pd.Series:
    """Levels as text, missing where they are missing; 1, 1.0 and "1" are the same level."""
    return values.astype(object).map(class_name, na_action="ignore")


def mean_and_scale(found: Floats) -> tuple[float, float]:
    """Mean and standard deviation; 0 and 1 for no values, deviation 1 for a constant."""
    if not len(found):
        return 0.0, 1.0
    mean, deviation = float(found.mean()), float(found.std())
    tiny = 1e-12 * max(1.0, abs(mean))
    return mean, deviation if np.isfinite(deviation) and deviation > tiny else 1.0


def beside(block: Floats, gone: npt.NDArray[np.bool_], said: bool) -> Floats:
    """The block with a column that says what is missing, when that is wanted."""
    wide = block if block.ndim == 2 else block[:, None]
    return np.concatenate([wide, gone[:, None].astype(np.float64)], axis=1) if said else wide


def _years(dates: npt.NDArray[np.datetime64]) -> Floats:
    return dates.astype("datetime64[Y]").astype(np.float64) + 1970


def _days(dates: npt.NDArray[np.datetime64]) -> Floats:
    return dates.astype(np.float64) / DAY
