"""Curves over optimiser steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from fieldcraft.report.charts.frame import Frame, padded
from fieldcraft.report.charts.svg import drawing, joined, series, tag

BUCKETS = 120
"""Points a curve at most; more are brought together."""


@dataclass(frozen=True)
class Curve:
    """Values over steps, both of the same length, steps ascending."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]
    index: int = 0
    """Which colour."""


@dataclass(frozen=True)
class Bucket:
    """Neighbouring points brought together: their last step, and their mean, least and largest value."""

    step: float
    mean: float
    low: float
    high: float


def bucketed(curve: Curve, most: int = BUCKETS) -> tuple[Bucket, ...]:
    """At most `most` buckets of as equal a count as possible."""
    count = len(curve.steps)
    edges = sorted({round(index * count / min(count, most)) for index in range(min(count, most) + 1)}) if count else []
    found = []
    for start, stop in pairwise(edges):
        values = curve.values[start:stop]
        found.append(Bucket(curve.steps[stop - 1], math.fsum(values) / len(values), min(values), max(values)))
    return tuple(found)


def line_chart(curves: Sequence[Curve], *, label: str, y_label: str, log: bool = False, dots: bool = False) -> Markup:
    """One line a curve; where points were brought together, a light band spans their least and largest value."""
    drawn = [(curve, bucketed(curve)) for curve in curves if curve.steps]
    values = [bound for _, buckets in drawn for bucket in buckets for bound in (bucket.low, bucket.high)] or [0.0, 1.0]
    log = log and min(values) > 0 and max(values) > 3 * min(values)
    low, high = (min(values) / 1.1, max(values) * 1.1) if log else padded(min(values), max(values))
    last = max((curve.steps[-1] for curve, _ in drawn), default=1.0)
    frame = Frame(x=(0, last), y=(low, high), x_label="step", y_label=y_label, log=log)
    parts = [frame.axes()]
    parts += [_band(frame, curve, buckets) for curve, buckets in drawn if len(curve.steps) > len(buckets)]
    parts += [_line(frame, curve, buckets, dots) for curve, buckets in drawn]
    return drawing(label, frame.width, frame.height, parts)


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _band(frame: Frame, curve: Curve, buckets: Sequence[Bucket]) -> Markup:
    upper = [(frame.at_x(bucket.step), frame.at_y(bucket.high)) for bucket in buckets]
    lower = [(frame.at_x(bucket.step), frame.at_y(bucket.low)) for bucket in reversed(buckets)]
    return tag("path", {"class": f"band {series(curve.index)}", "d": _path(upper + lower) + "Z"})


def _line(frame: Frame, curve: Curve, buckets: Sequence[Bucket], dots: bool) -> Markup:
    places = [(frame.at_x(bucket.step), frame.at_y(bucket.mean)) for bucket in buckets]
    kind = series(curve.index)
    parts = [tag("path", {"class": f"line {kind}", "d": _path(places)}, tag("title", {}, curve.name))]
    marked = places if dots and len(places) <= 30 else places[-1:]
    parts += [tag("circle", {"class": f"dot {kind}", "cx": x, "cy": y, "r": 2.5}) for x, y in marked]
    return joined(parts)
