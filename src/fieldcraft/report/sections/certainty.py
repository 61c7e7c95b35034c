"""How sure predictions are: the unsure flag of classifiers, the intervals of regression."""

from dataclasses import dataclass

import numpy as np

from fieldcraft.records.results import Estimate, Interval, Sure
from fieldcraft.report.charts.scatter import coverage_chart, scatter
from fieldcraft.report.page import Absent, Figure, Table, columns
from fieldcraft.report.predictions_table import Predictions
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import estimate, number, percent

DOTS = 1500
"""Dots of a scatter plot at most."""
TARGETS = 6
"""Scatter plots at most."""


@dataclass(frozen=True)
class Certainty:
    """Numbers and drawings."""

    intro: str
    table: Table | None
    figures: tuple[Figure, ...]


def certainty(run: Run) -> Certainty | Absent | None:
    """The unsure flag, or intervals and scatter plots."""
    if run.facts is None:
        return Absent("The facts of the data are missing.")
    target = run.facts.data.target
    test = run.results.test if run.results else None
    if target.task == "regression":
        return _regression(run, target.names, test.interval if test else None)
    if test is None or test.sure is None:
        return Absent("No threshold for an unsure flag was tested in this run.")
    return _unsure(run, test.sure)


def _unsure(run: Run, sure: Sure) -> Certainty:
    intro = (
        f"Predictions with a calibrated probability below {percent(sure.threshold)} are flagged unsure. The threshold "
        f"was chosen on validation so that {percent(sure.wanted)} of the sure ones are right."
    )
    if not sure.reached:
        intro = (
            f"No threshold reached the wanted accuracy of {percent(sure.wanted)} among the sure ones on validation; "
            f"the flag uses {percent(sure.threshold)}, which came closest."
        )
    rows = (
        ("Called sure", percent(sure.validation_coverage), _with_bounds(sure.coverage)),
        ("Right among the sure", percent(sure.validation_accuracy), _with_bounds(sure.accuracy)),
    )
    table = Table("With 95 % intervals on test.", columns("Share", "#Validation", "#Test"), rows)
    return Certainty(intro, table, _coverage(run.predictions, sure))


def _with_bounds(value: Estimate) -> str:
    shown, bounds = estimate(value, True)
    return f"{shown} ({bounds})"


def _coverage(predictions: Predictions | None, sure: Sure) -> tuple[Figure, ...]:
    if predictions is None or not {"truth", "prediction", "probability"} <= set(predictions.columns):
        return ()
    rows = predictions.part("test")
    if len(rows) < 2:
        return ()
    order = np.argsort(-rows.numbers("probability"), kind="stable")
    right = (rows.columns["truth"] == rows.columns["prediction"])[order]
    ranks = np.arange(1, len(order) + 1)
    accuracy = np.cumsum(right) / ranks
    # The first few ranks swing between 0 and 1: the curve begins where 20 samples (or a tenth) stand behind a point.
    first = min(20, max(1, len(order) // 10)) - 1
    kept = np.unique(np.linspace(first, len(order) - 1, 200).astype(int))
    chosen = (sure.coverage.value, sure.accuracy.value)
    label = (
        f"Accuracy among the most confident: {percent(chosen[1])} at the chosen {percent(chosen[0])} of the samples."
    )
    chart = coverage_chart(
        (ranks[kept] / len(order)).tolist(), accuracy[kept].tolist(), chosen=chosen, wanted=sure.wanted, label=label
    )
    caption = (
        "Leave the doubtful ones to a person and the rest is more often right; the orange dot is this run's threshold."
    )
    return (Figure(chart, caption),)


def _regression(run: Run, names: tuple[str, ...], interval: Interval | None) -> Certainty | Absent:
    figures = _scatters(run.predictions, names, interval)
    if interval is None:
        if not figures:
            return Absent("There are neither test results nor predictions.")
        return Certainty("No prediction interval was tested in this run.", None, figures)
    intro = (
        f"Each prediction comes with an interval that should hold the truth in {percent(interval.wanted)} of cases; "
        f"on test it held {_with_bounds(interval.coverage)}. Its width comes from the errors on validation."
    )
    rows = tuple(
        (name, f"± {number(half)}", number(sigma))
        for name, half, sigma in zip(names, interval.half_width, interval.sigma, strict=False)
    )
    titles = columns("Target", "#Half-width", "#Deviation of the noise")
    return Certainty(intro, Table("In the target's own units.", titles, rows), figures)


def _scatters(predictions: Predictions | None, names: tuple[str, ...], interval: Interval | None) -> tuple[Figure, ...]:
    if predictions is None:
        return ()
    rows, part = predictions.judged()
    figures = []
    for index, name in enumerate(names[:TARGETS]):
        truth, said = (f"truth:{name}", name) if f"truth:{name}" in rows else ("truth", "prediction")
        if truth not in rows or said not in rows:
            continue
        both = np.stack([rows.numbers(truth), rows.numbers(said)])
        both = both[:, np.isfinite(both).all(axis=0)]
        if both.shape[1] < 2:
            continue
        kept = np.unique(np.linspace(0, both.shape[1] - 1, min(DOTS, both.shape[1])).astype(int))
        half = interval.half_width[index] if interval and index < len(interval.half_width) else None
        label = f"Predicted against true {name}, {len(kept)} samples of the {part} part."
        chart = scatter(both[0, kept].tolist(), both[1, kept].tolist(), half_width=half, label=label)
        band = "; the band is the prediction interval" if half is not None else ""
        caption = f"{len(kept):,} samples of the {part} part; on the dashed line the prediction is the truth{band}."
        figures.append(Figure(chart, caption, name if len(names) > 1 else ""))
    return tuple(figures)
