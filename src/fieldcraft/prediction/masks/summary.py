"""All cases together: means with intervals, by resampling cases (groups whole)."""

from collections.abc import Mapping, Sequence
from typing import TypeVar, get_args

import numpy as np
import numpy.typing as npt

from fieldcraft.errors import DataError
from fieldcraft.prediction.bootstrap import estimate, resamples
from fieldcraft.prediction.masks.class_boundary import DEFAULT
from fieldcraft.prediction.metrics import Array
from fieldcraft.records.masks import (
    CaseMetric,
    CaseScores,
    ClassSummary,
    MaskMetric,
    MaskScores,
    MaskSummary,
    ScoreSettings,
)
from fieldcraft.records.results import Estimate

MASK_METRICS: tuple[MaskMetric, ...] = get_args(MaskMetric)
Name = TypeVar("Name", bound=str)
CASE_METRICS: tuple[CaseMetric, ...] = get_args(CaseMetric)


def summarise(
    scored: Sequence[CaseScores], settings: ScoreSettings = DEFAULT, repeats: int = 1000, seed: int = 0
) -> MaskSummary:
    """Means of every measure over cases, each with its 95 % percentile interval.

    All measures share the same resamples. Cases that do not define a measure do not count for it.
    """
    if not scored:
        raise DataError("a summary needs at least one scored case, but got none.")
    drawn = _weights([one.unit for one in scored], repeats, seed)
    units = np.array([one.unit for one in scored])
    table = {metric: _table(scored, metric) for metric in MASK_METRICS}
    return MaskSummary(
        settings=settings,
        classes=tuple(_class(scored, number, table, drawn, units) for number in range(len(scored[0].classes))),
        mean=_estimates({metric: _row_means(values) for metric, values in table.items()}, drawn, units),
        cases=_estimates({metric: _values(scored, metric) for metric in CASE_METRICS}, drawn, units),
    )


def mean_over_cases(values: Array, units: Sequence[str], repeats: int = 1000, seed: int = 0) -> Estimate:
    """The mean of one number a case with its interval; NaN where a case has none. Raises: DataError if all are NaN."""
    found = _estimates({"value": values}, _weights(units, repeats, seed), np.array(units))
    if not found:
        raise DataError("a mean over cases needs at least one case that defines the measure, but got none.")
    return found["value"]


def _class(
    scored: Sequence[CaseScores],
    number: int,
    table: Mapping[MaskMetric, Array],
    drawn: Array,
    units: npt.NDArray[np.str_],
) -> ClassSummary:
    rows: list[MaskScores] = [case.classes[number] for case in scored]
    return ClassSummary(
        class_id=rows[0].class_id,
        class_name=rows[0].class_name,
        cases=sum(one.truth_voxels > 0 for one in rows),
        missed=sum(one.truth_voxels > 0 and not one.predicted_voxels for one in rows),
        imagined=sum(not one.truth_voxels and one.predicted_voxels > 0 for one in rows),
        metrics=_estimates({metric: values[:, number] for metric, values in table.items()}, drawn, units),
    )


def _estimates(values: Mapping[Name, Array], drawn: Array, units: npt.NDArray[np.str_]) -> dict[Name, Estimate]:
    found = {}
    for name, column in values.items():
        known = np.isfinite(column)
        if not known.any():
            continue
        total = drawn[:, known].sum(axis=1)
        means = drawn[:, known] @ column[known] / np.where(total, total, np.nan)
        found[name] = estimate(
            float(column[known].mean()), means[np.isfinite(means)].tolist(), len(np.unique(units[known]))
        )
    return found


def _weights(units: Sequence[str], repeats: int, seed: int) -> Array:
    """(repeats, cases): how often each case was drawn."""
    rows = resamples(len(units), np.array(units), repeats, seed)
    return np.stack([np.bincount(one, minlength=len(units)) for one in rows]).astype(np.float64)


def _table(scored: Sequence[CaseScores], metric: MaskMetric) -> Array:
    """(cases, classes); NaN where there is nothing to score."""
    rows = [[getattr(one, metric) for one in case.classes] for case in scored]
    return np.array(rows, dtype=np.float64).reshape(len(scored), -1)


def _values(scored: Sequence[CaseScores], metric: CaseMetric) -> Array:
    return np.array([getattr(case, metric) for case in scored], dtype=np.float64)


def _row_means(table: Array) -> Array:
    known = np.isfinite(table)
    count = known.sum(axis=1)
    found: Array = np.full(len(table), np.nan)
    np.divide(np.where(known, table, 0.0).sum(axis=1), count, out=found, where=count > 0)
    return found
