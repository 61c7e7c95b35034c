"""What one unit of each stage can see, drawn over a sample."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fieldcraft.report.charts.svg import drawing, series, tag

SIDE = 360.0
"""Longest side of the drawing."""
MOST = 1.6
"""The drawing shows at most so many times the image's longest side; larger squares are cut off."""


@dataclass(frozen=True)
class Square:
    """A stage's receptive field in pixels of the sample."""

    name: str
    height: int
    width: int


def receptive_field_chart(
    uri: str, height: int, width: int, squares: Sequence[Square], *, small: bool, label: str
) -> Markup:
    """Squares around the middle of the sample, one a stage; the sample is `height` by `width` pixels."""
    longest = max(height, width)
    field = max((max(square.height, square.width) for square in squares), default=0)
    shown = min(max(field * 1.04, longest), longest * MOST)
    air = (shown - longest) / 2
    whole_width, whole_height = width + 2 * air, height + 2 * air
    scale = SIDE / max(whole_width, whole_height)
    image: dict[str, str | float] = {
        "href": uri, "x": air * scale, "y": air * scale, "width": width * scale, "height": height * scale,
        "preserveAspectRatio": "none",
    }  # fmt: skip
    if small:
        image["class"] = "pixelated"
    parts = [tag("rect", {"class": "empty", "width": whole_width * scale, "height": whole_height * scale})]
    parts.append(tag("image", image))
    for index, square in reversed(tuple(enumerate(squares))):
        x, y = (air + _start(width, square.width)) * scale, (air + _start(height, square.height)) * scale
        sides = square.width * scale, square.height * scale
        box: dict[str, str | float] = {"x": x, "y": y, "width": sides[0], "height": sides[1]}
        told = tag("title", {}, f"{square.name}: {square.height} x {square.width} px")
        parts.append(tag("rect", {"class": "halo", **box}))
        parts.append(tag("rect", {"class": f"field {series(index)}", **box}, told))
    return drawing(label, whole_width * scale, whole_height * scale, parts, "field-drawing")


def _start(side: int, field: int) -> float:
    """First pixel of a field around the middle unit."""
    return float((side - field) // 2)
