"""One dot a case: in rows by class, or over another number."""

from collections.abc import Sequence

from markupsafe import Markup

from fieldcraft.report.charts.frame import Frame, padded
from fieldcraft.report.charts.svg import drawing, line, series, tag, text, tick_text, ticks

LINE, LEFT, RIGHT, WIDTH, FOOT = 34.0, 130.0, 14.0, 560.0, 40.0
SPREAD = 5
"""Dots of a row lie at so many heights, so that neighbours can be told apart."""


def point_rows(rows: Sequence[tuple[str, Sequence[float]]], *, label: str, x_label: str) -> Markup:
    """Dots of each row between 0 and 1, in the order of the cases; a bar marks their mean."""
    floor = LINE * len(rows) + 4

    def at(value: float) -> float:
        return LEFT + value * (WIDTH - LEFT - RIGHT)

    parts = [line(LEFT, floor, WIDTH - RIGHT, floor, "axis")]
    for place, (name, values) in enumerate(rows):
        middle = LINE * (place + 0.5)
        heights = (middle + 4.0 * (index % SPREAD - SPREAD // 2) for index in range(len(values)))
        dots = "".join(f"M{at(value):.1f} {height:.1f}h0" for value, height in zip(values, heights, strict=True))
        parts += [
            text(LEFT - 12, middle + 4, name, "label", "end"),
            tag("path", {"class": f"points {series(place)}", "d": dots}),
        ]
        if values:
            mean = at(sum(values) / len(values))
            parts.append(line(mean, middle - LINE / 2 + 2, mean, middle + LINE / 2 - 2, "ideal"))
    parts += [text(at(value), floor + 16, tick_text(value), "tick", "middle") for value in ticks(0, 1, 6)]
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, floor + 33, x_label, "label", "middle"))
    return drawing(label, WIDTH, floor + FOOT, parts)


def points_over(
    groups: Sequence[tuple[Sequence[float], Sequence[float]]], *, label: str, x_label: str, y_label: str
) -> Markup:
    """Dots (x, y) of each group in its colour; y lies between 0 and 1."""
    every = [value for xs, _ in groups for value in xs]
    frame = Frame(
        x=padded(min(every), max(every)), y=(0.0, 1.0), x_label=x_label, y_label=y_label, width=420, height=260
    )
    parts = [frame.axes()]
    for place, (xs, ys) in enumerate(groups):
        dots = "".join(f"M{frame.at_x(x):.1f} {frame.at_y(y):.1f}h0" for x, y in zip(xs, ys, strict=True))
        parts.append(tag("path", {"class": f"points {series(place)}", "d": dots}))
    return drawing(label, frame.width, frame.height, parts)
