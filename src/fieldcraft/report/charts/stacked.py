"""One bar of stages, as long as their sum."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from fieldcraft.report.charts.svg import series, strip, tag


@dataclass(frozen=True)
class Stage:
    """A share of the whole, with its value in words."""

    name: str
    value: float
    shown: str


def stacked_bar(stages: Sequence[Stage], *, label: str, whole: float | None = None) -> Markup:
    """The stages side by side; when `whole` exceeds their sum, the rest stays empty."""
    total = max(sum(stage.value for stage in stages), whole or 0.0) or 1.0
    parts = [tag("rect", {"class": "track", "x": "0%", "y": 0, "width": "100%", "height": 28, "rx": 3})]
    place = 0.0
    for index, stage in enumerate(stages):
        width = 100 * max(stage.value, 0.0) / total
        box: dict[str, str | float] = {
            "class": f"stage {series(index)}",
            "x": f"{place:.3f}%",
            "y": 0,
            "width": f"{width:.3f}%",
            "height": 28,
        }
        parts.append(tag("rect", box, tag("title", {}, f"{stage.name}: {stage.shown}")))
        place += width
    return strip(label, 28, parts)
