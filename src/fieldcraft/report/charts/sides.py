"""What lies at the four sides of a slice of a body: letters such as A, L, P and R."""

from markupsafe import Markup

from fieldcraft.report.charts.svg import text


def letters(ends: str, width: float, height: float) -> list[Markup]:
    """Those at the top, the right, the bottom and the left of a drawing; nothing where that is not known."""
    if len(ends) != 4:
        return []
    places = ((width / 2, 28.0), (width - 14, height / 2 + 6), (width / 2, height - 8), (14.0, height / 2 + 6))
    return [text(x, y, end, "end", "middle") for (x, y), end in zip(places, ends, strict=True)]
