"""A forest of intervals: one line each, its middle a dot, beside a band within which differences do not matter."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fieldcraft.report.charts.frame import padded
from fieldcraft.report.charts.svg import drawing, line, series, tag, text, tick_text, ticks

LINE, LEFT, RIGHT, WIDTH, FOOT = 26.0, 130.0, 14.0, 560.0, 40.0


@dataclass(frozen=True)
class Interval:
    """A value with its ends, in the units of the axis."""

    name: str
    low: float
    middle: float
    high: float
    series: int = 0
    """Which colour."""


def interval_chart(rows: Sequence[Interval], *, label: str, x_label: str, margin: float) -> Markup:
    """Intervals under each other; zero is marked, and the band of `margin` on both sides of it."""
    ends = [end for row in rows for end in (row.low, row.high)]
    low, high = padded(min(*ends, -margin), max(*ends, margin))
    floor = LINE * len(rows) + 4

    def at(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    corners = ((-margin, 0.0), (margin, 0.0), (margin, floor), (-margin, floor))
    parts = [
        tag("polygon", {"class": "band", "points": " ".join(f"{at(x):.1f},{y:.1f}" for x, y in corners)}),
        line(at(0), 0, at(0), floor, "ideal"),
        line(LEFT, floor, WIDTH - RIGHT, floor, "axis"),
    ]
    for place, row in enumerate(rows):
        y = LINE * (place + 0.5)
        parts += [
            text(LEFT - 12, y + 4, row.name, "label", "end"),
            tag("path", {"class": f"line {series(row.series)}", "d": f"M{at(row.low):.1f} {y:.1f}H{at(row.high):.1f}"}),
            tag("circle", {"class": f"dot {series(row.series)}", "cx": at(row.middle), "cy": y, "r": 4}),
        ]
    parts += [text(at(value), floor + 16, tick_text(value), "tick", "middle") for value in ticks(low, high, 6)]
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, floor + 33, x_label, "label", "middle"))
    return drawing(label, WIDTH, floor + FOOT, parts)
