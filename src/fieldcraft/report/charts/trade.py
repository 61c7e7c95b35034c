"""Effect against cost: a mark each, with the intervals of both."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fieldcraft.report.charts.forest import REACH
from fieldcraft.report.charts.frame import Frame, padded
from fieldcraft.report.charts.lettering import fitted, text_width
from fieldcraft.report.charts.marks import Mark, mark
from fieldcraft.report.charts.svg import drawing, line, tag, text

NAME_PX = 165
LINE_PX = 13.0


@dataclass(frozen=True)
class Point:
    """A factor: what it brings and what it costs, each as middle, low and high."""

    name: str
    effect: tuple[float, float, float]
    cost: tuple[float, float, float]
    mark: Mark
    named: bool
    """Whether its intervals are drawn, and its name is written where there is room."""


def trade_chart(
    points: Sequence[Point],
    *,
    label: str,
    x_label: str,
    y_label: str,
    margin: float,
    x_text: Callable[[float], str],
    y_text: Callable[[float], str],
) -> Markup:
    """Up is better, right is dearer; the band holds effects that do not matter."""
    y = _range([one.effect for one in points], margin * 1.6)
    x = _range([one.cost for one in points], 0.0)
    frame = Frame(
        x=x, y=y, x_label=x_label, y_label=y_label, width=400, height=300, left=52, x_text=x_text, y_text=y_text
    )
    left, right = frame.left, frame.width - frame.right
    top, floor = frame.at_y(min(margin, y[1])), frame.at_y(max(-margin, y[0]))
    parts = [
        frame.axes(),
        tag(
            "rect",
            {"class": "matters-not", "x": left, "y": top, "width": right - left, "height": max(floor - top, 0.5)},
        ),
        line(left, frame.at_y(0), right, frame.at_y(0), "ideal"),
        line(frame.at_x(0), frame.top, frame.at_x(0), frame.height - frame.bottom, "ideal"),
    ]
    for one in points:
        parts += _cross(frame, one) if one.named else []
    parts += [mark(one.mark, *_place(frame, one), one.name) for one in points]
    parts += _names(frame, points)
    return drawing(label, frame.width, frame.height, parts)


def _range(bounds: Sequence[tuple[float, float, float]], least: float) -> tuple[float, float]:
    core = max([abs(middle) for middle, _, _ in bounds if math.isfinite(middle)] + [least])
    low = max(min([end for _, end, _ in bounds] + [-least]), -REACH * core)
    high = min(max([end for _, _, end in bounds] + [least]), REACH * core)
    return padded(min(low, 0.0), max(high, 0.0), 0.07)


def _kept(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])


def _place(frame: Frame, one: Point) -> tuple[float, float]:
    return frame.at_x(_kept(one.cost[0], frame.x)), frame.at_y(_kept(one.effect[0], frame.y))


def _cross(frame: Frame, one: Point) -> list[Markup]:
    x, y = _place(frame, one)
    left, right = (frame.at_x(_kept(end, frame.x)) for end in one.cost[1:])
    low, high = (frame.at_y(_kept(end, frame.y)) for end in one.effect[1:])
    kind = f"whisker thin {one.mark}"
    return [line(left, y, right, y, kind), line(x, low, x, high, kind)]


@dataclass(frozen=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: "_Box") -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def _names(frame: Frame, points: Sequence[Point]) -> list[Markup]:
    """Names beside their marks, as far as they meet no mark and no other name."""
    taken = [_Box(x - 7, y - 7, x + 7, y + 7) for x, y in (_place(frame, one) for one in points)]
    parts = []
    for one in points:
        if not one.named:
            continue
        shown = fitted(one.name, NAME_PX)
        width = text_width(shown) * 11 / 12.5
        x, y = _place(frame, one)
        for left, base in ((x + 9, y - 5), (x - 9 - width, y - 5), (x + 9, y + 13), (x - 9 - width, y + 13)):
            box = _Box(left, base - LINE_PX + 2, left + width, base + 3)
            fits = box.left > frame.left and box.right < frame.width and box.top > frame.top - 8
            if fits and box.bottom < frame.height - frame.bottom and not any(box.meets(other) for other in taken):
                taken.append(box)
                parts.append(text(left, base, shown, "tick beside"))
                break
    return parts
