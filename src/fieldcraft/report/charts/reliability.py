"""A calibration diagram: stated confidence against measured accuracy."""

from markupsafe import Markup

from fieldcraft.records.results import Reliability
from fieldcraft.report.charts.frame import Frame
from fieldcraft.report.charts.svg import drawing, line, tag
from fieldcraft.report.wording import percent, whole


def reliability_chart(reliability: Reliability, *, label: str, of: str = "samples") -> Markup:
    """One dot a bin, its area growing with what it holds; on the diagonal, confidence is accuracy."""
    frame = Frame(
        x=(0, 1), y=(0, 1), x_label="stated confidence, %", y_label="measured accuracy, %",
        width=320, height=320, left=36, x_text=_per_cent, y_text=_per_cent,
    )  # fmt: skip
    diagonal = line(frame.at_x(0), frame.at_y(0), frame.at_x(1), frame.at_y(1), "ideal")
    parts = [frame.axes(), diagonal]
    most = max(reliability.counts, default=0) or 1
    points = zip(reliability.confidence, reliability.accuracy, reliability.counts, strict=True)
    for confidence, accuracy, count in points:
        if count:
            x, y = frame.at_x(confidence), frame.at_y(accuracy)
            told = f"{whole(count)} {of}: stated {percent(confidence)}, right {percent(accuracy)}"
            parts.append(line(x, frame.at_y(confidence), x, y, "gap"))
            radius = 2.5 + 8.5 * (count / most) ** 0.5
            parts.append(tag("circle", {"class": "dot soft s0", "cx": x, "cy": y, "r": radius}, tag("title", {}, told)))
    return drawing(label, frame.width, frame.height, parts)


def _per_cent(share: float) -> str:
    return f"{100 * share:.0f}"
