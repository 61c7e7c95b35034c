"""What one unit of each stage can see, drawn over a sample."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fieldcraft.report.charts.sides import letters
from fieldcraft.report.charts.svg import drawing, series, tag, text

SIDE = 360.0
"""Longest side of the drawing."""
MOST = 2.5
"""The drawing shows at most so many times the image's longest side; squares that reach beyond it are cut off."""
INSET = 4.0
"""By how much cut-off squares keep apart from each other at the edge of the drawing."""
SMALL, ROOM = 130.0, 66.0
"""Squares narrower than this are named beside them where there is so much room."""


@dataclass(frozen=True)
class Square:
    """A stage's receptive field: first and last pixel of the sample that it sees; they may lie outside of it."""

    name: str
    rows: tuple[int, int]
    columns: tuple[int, int]

    @property
    def size(self) -> int:
        """The longer side in pixels."""
        return 1 + max(last - first for first, last in (self.rows, self.columns))

    @property
    def reach(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom edge."""
        return self.columns[0], self.rows[0], self.columns[1] + 1, self.rows[1] + 1


def receptive_field_chart(
    uri: str,
    height: int,
    width: int,
    squares: Sequence[Square],
    *,
    small: bool,
    label: str,
    named: bool = False,
    ends: str = "",
) -> Markup:
    """Squares over the sample, one a stage; the sample is `height` by `width` pixels.

    A square that reaches beyond the drawing is dashed and follows its edge. `named`: names stand at corners, each
    square's at another. `ends`: what lies at the top, the right, the bottom and the left, a letter each.
    """
    air = _air(height, width, squares)
    scale = SIDE / (max(height, width) + 2 * air)
    whole_width, whole_height = (width + 2 * air) * scale, (height + 2 * air) * scale
    image: dict[str, str | float] = {
        "href": uri, "x": air * scale, "y": air * scale, "width": width * scale, "height": height * scale,
        "preserveAspectRatio": "none",
    }  # fmt: skip
    if small:
        image["class"] = "pixelated"
    parts = [tag("rect", {"class": "empty", "width": whole_width, "height": whole_height}), tag("image", image)]
    for index, square in reversed(tuple(enumerate(squares))):
        edges = [(edge + air) * scale for edge in square.reach]
        kept = _kept(edges, whole_width, whole_height, 2 + INSET * (len(squares) - 1 - index))
        kind = "field" if kept == edges else "field beyond"
        box: dict[str, str | float] = {
            "x": kept[0],
            "y": kept[1],
            "width": kept[2] - kept[0],
            "height": kept[3] - kept[1],
        }
        told = tag("title", {}, f"{square.name}: {square.size} px")
        parts.append(tag("rect", {"class": "halo", **box}))
        parts.append(tag("rect", {"class": f"{kind} {series(index)}", **box}, told))
        if named:
            parts.append(_name(square.name, kept, index, whole_width))
    parts += letters(ends, whole_width, whole_height)
    return drawing(label, whole_width, whole_height, parts, "field-drawing")


def _name(name: str, kept: list[float], index: int, width: float) -> Markup:
    """At the corner of a square that its place in the list gives it; beside a small square, where there is room."""
    left, top, right, bottom = kept
    before, above = index % 4 < 2, index % 2 == 0
    out = right - left < SMALL and (left if before else width - right) >= ROOM
    x = left + (-5 if out else 5) if before else right + (5 if out else -5)
    y = top + (2 if out else 15) if above else bottom + (12 if out else -6)
    return text(x, y, name, "end", "start" if before != out else "end")


def _air(height: int, width: int, squares: Sequence[Square]) -> float:
    """Pixels shown around the sample, as many on each side as the squares need and the limit allows."""
    longest = max(height, width)
    needed = 0
    for left, top, right, bottom in (square.reach for square in squares):
        needed = max(needed, -left, -top, right - width, bottom - height)
    return min(needed * 1.05, longest * (MOST - 1) / 2)


def _kept(edges: list[float], width: float, height: float, inset: float) -> list[float]:
    """The edges as far as they lie inside of the drawing, else `inset` from its border."""
    left, top, right, bottom = edges
    return [
        left if left >= 0 else inset,
        top if top >= 0 else inset,
        right if right <= width + 1e-6 else width - inset,
        bottom if bottom <= height + 1e-6 else height - inset,
    ]
