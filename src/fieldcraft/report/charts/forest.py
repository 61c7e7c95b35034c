"""Rows of a forest: one effect each, on a scale that all of them share, so that they can stand in a table."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fieldcraft.report.charts.marks import Mark, mark
from fieldcraft.report.charts.svg import line, strip, tag, text, ticks

REACH = 3.0
"""Intervals may reach so many times as far as the largest effect; longer ones are cut off and get an arrow."""


@dataclass(frozen=True)
class Effect:
    """A value with its interval as (middle, low, high), in the units of the scale, and the pairs behind it."""

    interval: tuple[float, float, float] | None
    """None while there are too few pairs for one."""
    mark: Mark = "plain"
    points: tuple[float, ...] = ()


@dataclass(frozen=True)
class Scale:
    """From `low` to `high`, in per cent of a row's width."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Where a value stands; what lies outside stands at the edge."""
        return min(max(100 * (value - self.low) / (self.high - self.low), 0.0), 100.0)

    def outside(self, value: float) -> bool:
        """Whether it is cut off."""
        return not self.low <= value <= self.high


def scale_for(effects: Sequence[Effect], margin: float) -> Scale:
    """One that shows every effect, the band of `margin` on both sides of zero, and intervals as far as is readable."""
    known = [one.interval for one in effects if one.interval is not None]
    alone = [value for one in effects if one.interval is None for value in one.points]
    core = max([abs(value) for value in (*(one[0] for one in known), *alone) if math.isfinite(value)] + [1.6 * margin])
    ends = [*(end for one in known for end in one[1:]), *(value for one in effects for value in one.points)]
    low = max(min([*ends, -1.6 * margin]), -REACH * core)
    high = min(max([*ends, 1.6 * margin]), REACH * core)
    air = 0.04 * (high - low)
    return Scale(low - air, high + air)


def band(scale: Scale, margin: float) -> str:
    """CSS variables by which a table shades what does not matter and marks zero in its column of rows."""
    places = {"low": -margin, "zero": 0.0, "high": margin}
    return ";".join(f"--{name}:{scale.at(value):.2f}%" for name, value in places.items())


def forest_row(effect: Effect, scale: Scale, *, label: str, height: float = 38.0) -> Markup:
    """One row: interval, mark, and the pairs as points below them."""
    y = height / 2 - (5 if effect.points else 0)
    parts = [_pair(value, scale, y + 15) for value in effect.points]
    if effect.interval is not None:
        parts += _interval(effect.interval, effect.mark, scale, y)
    return strip(label, height, parts, "forest-row")


def _pair(value: float, scale: Scale, y: float) -> Markup:
    kind = "pair beyond" if scale.outside(value) else "pair"
    return tag("circle", {"class": kind, "cx": _at(scale, value), "cy": y, "r": 2.4})


def _interval(interval: tuple[float, float, float], kind: Mark, scale: Scale, y: float) -> list[Markup]:
    middle, low, high = interval
    parts = [line(_at(scale, low), y, _at(scale, high), y, f"whisker {kind}")]
    for end, edge, arrow, anchor in ((low, "0%", "‹", "start"), (high, "100%", "›", "end")):
        if scale.outside(end):
            parts.append(text(edge, y + 4.5, arrow, "cut", anchor))
        else:
            parts.append(line(_at(scale, end), y - 4, _at(scale, end), y + 4, f"whisker {kind}"))
    return [*parts, mark(kind, _at(scale, middle), y)]


def forest_axis(scale: Scale, tick_text: Callable[[float], str]) -> Markup:
    """The numbers of the scale."""
    parts = []
    for value in ticks(scale.low, scale.high, 5):
        place = scale.at(value)
        anchor = "start" if place < 8 else "end" if place > 92 else "middle"
        parts += [line(f"{place:.2f}%", 0, f"{place:.2f}%", 5, "axis")]
        parts.append(text(f"{place:.2f}%", 18, tick_text(value), "tick", anchor))
    low, high = (tick_text(end) for end in (scale.low, scale.high))
    return strip(f"scale from {low} to {high}", 22, parts, "forest-row")


def _at(scale: Scale, value: float) -> str:
    return f"{scale.at(value):.2f}%"
