"""The confusion matrix as squares."""

from collections.abc import Sequence

from markupsafe import Markup

from fieldcraft.report.charts.lettering import fitted, text_width
from fieldcraft.report.charts.svg import drawing, joined, tag, text
from fieldcraft.report.wording import plural

NUMBERED = 24
"""Up to so many classes each square carries its count and each row its name."""
NAME_PX = 110
"""Longest name beside a row."""
SHADES = 8
"""Steps of shade where there are too many classes for numbers."""


def heat_map(counts: Sequence[Sequence[int]], names: Sequence[str], *, label: str) -> Markup:
    """Rows: truth, columns: predicted. The shade is the share of the row, so that rare classes show as well."""
    return _numbered(counts, names, label) if len(names) <= NUMBERED else _shaded(counts, label)


def _numbered(counts: Sequence[Sequence[int]], names: Sequence[str], label: str) -> Markup:
    short = [fitted(name, NAME_PX) for name in names]
    widest = max(counts[i][j] for i in range(len(names)) for j in range(len(names)))
    cell = max(31.0, 8.0 + 7.2 * len(f"{widest:,}"), 110 / len(names))
    longest = max(text_width(name) for name in short)
    beside = 12 + longest
    upright = longest <= cell
    above = 18.0 if upright else 8 + longest
    parts = []
    for row, line in enumerate(counts):
        y = above + row * cell
        parts.append(text(beside - 6, y + cell / 2 + 4, short[row], "name", "end"))
        parts += [_cell(line, names, row, column, beside + column * cell, y, cell) for column in range(len(names))]
    for column, name in enumerate(short):
        x = beside + (column + 0.5) * cell
        if upright:
            parts.append(text(x, above - 6, name, "name", "middle"))
        else:
            turned: dict[str, str | float] = {
                "class": "name",
                "transform": f"translate({x + 4:.1f} {above - 5:.1f}) rotate(-90)",
            }
            parts.append(tag("text", turned, name))
    side = len(names) * cell
    return drawing(label, beside + side + 2, above + side + 2, parts, "matrix")


def _cell(line: Sequence[int], names: Sequence[str], row: int, column: int, x: float, y: float, size: float) -> Markup:
    count = line[column]
    share = count / (sum(line) or 1)
    kind = "right" if row == column else "wrong"
    box: dict[str, str | float] = {"x": x + 1, "y": y + 1, "width": size - 2, "height": size - 2, "rx": 2}
    parts = [tag("rect", {"class": "empty", **box})]
    if count:
        told = (
            f"{names[row]} taken for {names[column]}: {count:,}" if row != column else f"{names[row]} right: {count:,}"
        )
        shade = {"class": kind, "fill-opacity": 0.12 + 0.88 * share, **box}
        parts.append(tag("rect", shade, tag("title", {}, told)))
        ink = "count on" if share > 0.45 else "count"
        parts.append(text(x + size / 2, y + size / 2 + 4, f"{count:,}", ink, "middle"))
    return joined(parts)


def _shaded(counts: Sequence[Sequence[int]], label: str) -> Markup:
    """Without names and numbers: one path a shade keeps hundreds of classes light."""
    size = len(counts)
    unit = max(2.0, 320 / size)
    paths: dict[tuple[str, int], list[str]] = {}
    for row, line in enumerate(counts):
        whole = sum(line) or 1
        for column, count in enumerate(line):
            if count:
                kind = "right" if row == column else "wrong"
                shade = min(SHADES, 1 + int(SHADES * count / whole))
                paths.setdefault((kind, shade), []).append(f"M{column} {row}h1v1h-1z")
    parts = [tag("rect", {"class": "empty", "width": size, "height": size})]
    for (kind, shade), squares in paths.items():
        parts.append(tag("path", {"class": kind, "fill-opacity": 0.12 + 0.88 * shade / SHADES, "d": "".join(squares)}))
    scaled = tag("g", {"transform": f"scale({unit:.3f})"}, *parts)
    return drawing(label, size * unit, size * unit, [scaled], "matrix")


def matrix_label(counts: Sequence[Sequence[int]]) -> str:
    """What a screen reader says of the matrix."""
    right = sum(line[index] for index, line in enumerate(counts))
    whole = sum(sum(line) for line in counts)
    return f"Confusion matrix of {plural(len(counts), 'class', 'classes')}: {right:,} of {whole:,} on the diagonal."
