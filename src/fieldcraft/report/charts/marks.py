"""Shapes of verdicts, drawn once and used by every chart of a page: told apart by form as well as by colour."""

from typing import Literal

from markupsafe import Markup

from fieldcraft.report.charts.svg import tag

Mark = Literal["paid", "hurt", "same", "open", "plain"]
"""Triangle upwards, triangle downwards, square, ring, and a dot for what has no verdict."""
SHAPES: dict[Mark, str] = {
    "paid": "M0 -6.5L6 4.5H-6Z",
    "hurt": "M0 6.5L6 -4.5H-6Z",
    "same": "M-4.6 -4.6H4.6V4.6H-4.6Z",
    "open": "M5 0A5 5 0 1 1 -5 0A5 5 0 1 1 5 0Z",
    "plain": "M3.6 0A3.6 3.6 0 1 1 -3.6 0A3.6 3.6 0 1 1 3.6 0Z",
}


def shapes() -> Markup:
    """What `mark` refers to; must stand in the page once."""
    paths = [tag("path", {"id": f"mark-{name}", "d": path}) for name, path in SHAPES.items()]
    hidden: dict[str, str | float] = {
        "class": "shapes", "role": "img", "aria-label": "shapes of the charts", "aria-hidden": "true",
        "width": 0, "height": 0,
    }  # fmt: skip
    return tag("svg", hidden, tag("defs", {}, *paths))


def mark(kind: Mark, x: str | float, y: float, told: str = "") -> Markup:
    """One of them with its middle at a place in pixels or per cent; `told` is shown when pointed at."""
    inside = [tag("title", {}, told)] if told else []
    return tag("use", {"href": f"#mark-{kind}", "x": x, "y": y, "class": f"mark {kind}"}, *inside)
