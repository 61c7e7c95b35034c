"""Horizontal bars with their names above them, with or without intervals, and dots on a scale that is drawn larger."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fieldcraft.report.charts.lettering import fitted
from fieldcraft.report.charts.svg import line, strip, tag, text, ticks

ROW = 40
NAME_PX = 230
THIN_ROW = 22
THIN_NAME_PX = 98
"""Names keep to the room that a phone has for them."""


@dataclass(frozen=True)
class Bar:
    """One value with its name, and its interval when there is one."""

    name: str
    value: float
    shown: str
    """The value in words."""
    low: float | None = None
    high: float | None = None
    strong: bool = False
    """Whether it stands out (the winner)."""


def bar_chart(bars: Sequence[Bar], *, label: str) -> Markup:
    """Bars from zero; negative values go to the left."""
    low = min(0.0, *(bound for bar in bars for bound in (bar.value, bar.low or 0.0)))
    high = max(0.0, *(bound for bar in bars for bound in (bar.value, bar.high or 0.0)))
    scale = _Scale(low, high if high > low else low + 1.0)
    parts = []
    for index, bar in enumerate(bars):
        top = index * ROW
        start, stop = sorted((scale.at(0.0), scale.at(bar.value)))
        kind = "bar strong" if bar.strong else "bar"
        parts += _names(bar, top)
        parts.append(tag("rect", {"class": "track", "x": "0%", "y": top + 22, "width": "100%", "height": 10, "rx": 2}))
        width = max(stop - start, 0.15)
        parts.append(
            tag("rect", {"class": kind, "x": _at(start), "y": top + 22, "width": _at(width), "height": 10, "rx": 2})
        )
        parts += _whisker(bar, top + 27, scale)
    return strip(label, len(bars) * ROW, parts)


def thin_bar_chart(bars: Sequence[Bar], *, label: str) -> Markup:
    """Many bars from zero, names to their left; for values that are not negative."""
    most = max((bar.value for bar in bars), default=0.0) or 1.0
    parts = []
    for index, bar in enumerate(bars):
        top = index * THIN_ROW
        width = 54 * max(bar.value, 0.0) / most
        parts.append(text("29%", top + 15, fitted(bar.name, THIN_NAME_PX), "name", "end"))
        box: dict[str, str | float] = {
            "class": "bar",
            "x": "31%",
            "y": top + 6,
            "width": _at(max(width, 0.2)),
            "height": 11,
            "rx": 2,
        }
        parts.append(tag("rect", box, tag("title", {}, f"{bar.name}: {bar.shown}")))
        parts.append(text(_at(32.5 + width), top + 15, bar.shown, "tick"))
    return strip(label, len(bars) * THIN_ROW, parts, "narrow")


def dot_chart(bars: Sequence[Bar], *, label: str, tick_text: Callable[[float], str]) -> Markup:
    """Dots with intervals on a scale that does not begin at zero; the numbers of the scale stand below."""
    bounds = [bound for bar in bars for bound in (bar.value, bar.low, bar.high) if bound is not None]
    air = (max(bounds) - min(bounds)) * 0.08 or abs(max(bounds)) * 0.01 or 1.0
    scale = _Scale(min(bounds) - air, max(bounds) + air)
    floor = len(bars) * ROW
    parts = []
    for value in ticks(scale.low, scale.high, 4):
        place = scale.at(value)
        anchor = "start" if place < 6 else "end" if place > 94 else "middle"
        parts.append(text(_at(place), floor + 16, tick_text(value), "tick", anchor))
    for index, bar in enumerate(bars):
        top = index * ROW
        kind = "dot strong" if bar.strong else "dot"
        parts += _names(bar, top)
        parts.append(line("0%", top + 27, "100%", top + 27, "grid"))
        parts += _whisker(bar, top + 27, scale)
        parts.append(tag("circle", {"class": kind, "cx": _at(scale.at(bar.value)), "cy": top + 27, "r": 4.5}))
    return strip(label, floor + 22, parts)


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    def at(self, value: float) -> float:
        return 100 * (value - self.low) / ((self.high - self.low) or 1)


def _at(place: float) -> str:
    return f"{place:.2f}%"


def _names(bar: Bar, top: float) -> list[Markup]:
    kind = "name strong" if bar.strong else "name"
    name = fitted(bar.name, NAME_PX)
    return [text("0%", top + 15, name, kind), text("100%", top + 15, bar.shown, kind, "end")]


def _whisker(bar: Bar, middle: float, scale: _Scale) -> list[Markup]:
    if bar.low is None or bar.high is None or bar.high <= bar.low:
        return []
    low, high = _at(scale.at(bar.low)), _at(scale.at(bar.high))
    return [
        line(low, middle, high, middle, "whisker"),
        line(low, middle - 4, low, middle + 4, "whisker"),
        line(high, middle - 4, high, middle + 4, "whisker"),
    ]
