"""One mark a case: in rows by class, or over another number, where classes differ by form as well as by colour."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from fieldcraft.report.charts.frame import Frame, padded
from fieldcraft.report.charts.lettering import fitted
from fieldcraft.report.charts.svg import drawing, line, series, strip, tag, text, tick_text, ticks

ROW, NAME, FOOT = 44, 18, 40
NAME_PX = 300
SPREAD = 5
"""Marks of a row lie at so many heights, so that neighbours can be told apart."""
FORMS = (
    "a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0z",
    "v-3.2h6.4v6.4h-6.4z",
    "l3.8-3.8 3.8 3.8-3.8 3.8z",
    "l3.8-6 3.8 6z",
)
"""Disc, square, diamond and triangle, each drawn from its left end."""


def point_rows(rows: Sequence[tuple[str, Sequence[float]]], *, label: str, x_label: str) -> Markup:
    """Dots of each row between 0 and 1, in the order of the cases; a dashed line marks their mean.

    The drawing is as wide as its column, whatever that is.
    """
    floor = ROW * len(rows) + 4
    parts = [line("1%", floor, "99%", floor, "axis")]
    for place, (name, values) in enumerate(rows):
        top = ROW * place
        middle = top + NAME + (ROW - NAME) / 2
        parts.append(text("1%", top + 13, fitted(name, NAME_PX), "label"))
        for index, value in enumerate(values):
            height = middle + 3.5 * (index % SPREAD - SPREAD // 2)
            told = tag("title", {}, f"{name}: {value:.3g}")
            parts.append(
                tag("circle", {"class": f"points {series(place)}", "cx": _at(value), "cy": height, "r": 3.6}, told)
            )
        if values:
            mean = _at(sum(values) / len(values))
            parts.append(line(mean, middle - 12, mean, middle + 12, "ideal mean"))
    parts += [text(_at(value), floor + 16, tick_text(value), "tick", "middle") for value in ticks(0, 1, 5)]
    parts.append(text("50%", floor + 33, x_label, "label", "middle"))
    return strip(label, floor + FOOT, parts)


def points_over(
    groups: Sequence[tuple[Sequence[float], Sequence[float]]],
    *,
    label: str,
    x_label: str,
    y_label: str,
    x_text: Callable[[float], str] = tick_text,
) -> Markup:
    """Marks (x, y) of each group in its form and colour; y lies between 0 and 1."""
    every = [value for xs, _ in groups for value in xs]
    frame = Frame(
        x=padded(min(every), max(every)), y=(0.0, 1.0), x_label=x_label, y_label=y_label, width=420, height=260,
        x_text=x_text,
    )  # fmt: skip
    parts = [frame.axes()]
    for place, (xs, ys) in enumerate(groups):
        marks = "".join(
            f"M{frame.at_x(x) - 3.6:.1f} {frame.at_y(y):.1f}{FORMS[place % len(FORMS)]}"
            for x, y in zip(xs, ys, strict=True)
        )
        parts.append(tag("path", {"class": f"points {series(place)}", "d": marks}))
    return drawing(label, frame.width, frame.height, parts)


def _at(value: float) -> str:
    """Where a value stands in its row."""
    return f"{3 + 94 * value:.2f}%"
