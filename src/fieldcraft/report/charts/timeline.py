"""What ran when: a row for each worker, a bar for each trial."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fieldcraft.report.charts.svg import line, series, strip, tag, text
from fieldcraft.report.wording import seconds

ROW, BAR, NAME = 42.0, 18.0, 14.0
STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
"""Steps of time that people count in; beyond them, whole days."""
MOST_TOLD = 500
"""Trials up to which each bar says what it is when pointed at."""


@dataclass(frozen=True)
class Span:
    """A trial: from when to when, on which row, in which colour."""

    row: int
    start: float
    stop: float
    series: int
    told: str
    failed: bool = False


def timeline_chart(spans: Sequence[Span], rows: Sequence[str], *, label: str) -> Markup:
    """Bars over time; those of failed trials are hollow and carry a cross."""
    end = max((one.stop for one in spans), default=1.0) or 1.0
    floor = ROW * len(rows)
    parts: list[Markup] = []
    for index, name in enumerate(rows):
        parts.append(text("0%", index * ROW + NAME - 2, name, "tick"))
        parts.append(_bar("track", 0, 100, index * ROW + NAME + 3))
    for one in spans:
        top = one.row * ROW + NAME + 3
        left, width = 100 * max(one.start, 0.0) / end, 100 * max(one.stop - max(one.start, 0.0), 0.0) / end
        kind = f"span {series(one.series)}{' failed' if one.failed else ''}"
        told = [tag("title", {}, one.told)] if len(spans) <= MOST_TOLD else []
        parts.append(_bar(kind, left, width, top, *told))
        if one.failed:
            parts.append(text(f"{min(max(left + width / 2, 1.5), 98.5):.2f}%", top + 13.5, "×", "cross", "middle"))
    for value in time_ticks(end):
        place = 100 * value / end
        anchor = "start" if place < 4 else "end" if place > 94 else "middle"
        parts += [line(f"{place:.2f}%", floor, f"{place:.2f}%", floor + 4, "axis")]
        parts.append(text(f"{place:.2f}%", floor + 17, seconds(value) if value else "0", "tick", anchor))
    return strip(label, floor + 22, parts)


def _bar(kind: str, left: float, width: float, top: float, *inside: Markup) -> Markup:
    place: dict[str, str | float] = {"x": f"{left:.2f}%", "y": top, "width": f"{width:.2f}%", "height": BAR}
    return tag("rect", {"class": kind, **place}, *inside)


def time_ticks(end: float) -> tuple[float, ...]:
    """At most six round times from zero to `end` seconds."""
    step = next((one for one in STEPS_S if end / one <= 5), STEPS_S[-1] * math.ceil(end / STEPS_S[-1] / 5))
    return tuple(step * index for index in range(math.floor(end / step) + 1))
