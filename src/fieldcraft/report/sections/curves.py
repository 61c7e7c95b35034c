"""How training went."""

from dataclasses import dataclass

from markupsafe import Markup

from fieldcraft.report.charts.curves import Curve, line_chart
from fieldcraft.report.metrics import metric
from fieldcraft.report.metrics_log import Points, RungLog
from fieldcraft.report.page import Absent, Figure, Key
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import number


@dataclass(frozen=True)
class Curves:
    """Three small charts with one legend."""

    keys: tuple[Key, ...]
    figures: tuple[Figure, ...]


def curves(run: Run) -> Curves | Absent:
    """Training loss, validation metric and learning rate of every rung."""
    if not run.log:
        return Absent("No network was trained, or its log is missing.")
    name = metric(run.results.metric).label if run.results else "metric"
    loss = _chart([log.loss for log in run.log], run.log, "Training loss", log=True)
    validation = _chart([log.validation_metric for log in run.log], run.log, f"Validation {name}", dots=True)
    rate = _chart([log.lr for log in run.log], run.log, "Learning rate")
    figures = (
        Figure(loss, "Falling means that it learns; the light band spans the steps that a point brings together."),
        Figure(validation, "What counts: samples that were not trained on."),
        Figure(rate, "How large the steps were: the plan's schedule as it was carried out."),
    )
    return Curves(tuple(Key(log.rung, index) for index, log in enumerate(run.log)), figures)


def _chart(
    points: list[Points], logs: tuple[RungLog, ...], title: str, *, log: bool = False, dots: bool = False
) -> Markup:
    drawn = [
        Curve(its.rung, tuple(map(float, each.steps)), each.values, index)
        for index, (each, its) in enumerate(zip(points, logs, strict=True))
    ]
    ends = ", ".join(f"{each.name} ends at {number(each.values[-1])}" for each in drawn if each.values)
    return line_chart(drawn, label=f"{title} over steps. {ends}.", y_label=title, log=log, dots=dots)
