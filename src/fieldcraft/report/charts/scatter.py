"""Predicted against true values, and accuracy over coverage."""

from collections.abc import Sequence

from markupsafe import Markup

from fieldcraft.report.charts.frame import Frame, padded
from fieldcraft.report.charts.svg import drawing, line, tag


def scatter(truth: Sequence[float], predicted: Sequence[float], *, half_width: float | None, label: str) -> Markup:
    """A dot a sample; on the diagonal, the prediction is the truth; the band is the prediction interval."""
    low, high = padded(min(*truth, *predicted), max(*truth, *predicted))
    frame = Frame(x=(low, high), y=(low, high), x_label="truth", y_label="predicted", width=340, height=340, left=52)
    parts = [frame.axes()]
    if half_width is not None:
        parts.append(_band(frame, half_width))
    parts.append(line(frame.at_x(low), frame.at_y(low), frame.at_x(high), frame.at_y(high), "ideal"))
    dots = "".join(f"M{frame.at_x(x):.1f} {frame.at_y(y):.1f}h0" for x, y in zip(truth, predicted, strict=True))
    parts.append(tag("path", {"class": "points s0", "d": dots}))
    return drawing(label, frame.width, frame.height, parts)


def _band(frame: Frame, half_width: float) -> Markup:
    """The strip of truths that lie within `half_width` of their prediction, cut off at the frame."""
    low, high = frame.x
    width = min(half_width, high - low)
    corners = (
        (low, low), (low, low + width), (high - width, high), (high, high), (high, high - width), (low + width, low)
    )  # fmt: skip
    places = " ".join(f"{frame.at_x(x):.1f},{frame.at_y(y):.1f}" for x, y in corners)
    return tag("polygon", {"class": "band s0", "points": places})


def coverage_chart(
    coverage: Sequence[float], accuracy: Sequence[float], *, chosen: tuple[float, float], wanted: float, label: str
) -> Markup:
    """Accuracy among the most confident samples, over their share; `chosen` is the run's threshold."""
    low = min(*accuracy, wanted, chosen[1])
    frame = Frame(
        x=(0, 1), y=padded(low, 1.0, 0.08), x_label="share called sure, %", y_label="accuracy among them, %",
        x_text=_per_cent, y_text=_fine_per_cent, width=340, height=260, left=48,
    )  # fmt: skip
    places = "L".join(f"{frame.at_x(x):.1f},{frame.at_y(y):.1f}" for x, y in zip(coverage, accuracy, strict=True))
    parts = [
        frame.axes(),
        line(frame.at_x(0), frame.at_y(wanted), frame.at_x(1), frame.at_y(wanted), "ideal"),
        tag("path", {"class": "line s0", "d": f"M{places}"}),
        tag("circle", {"class": "dot s1", "cx": frame.at_x(chosen[0]), "cy": frame.at_y(chosen[1]), "r": 5}),
    ]
    return drawing(label, frame.width, frame.height, parts)


def _per_cent(share: float) -> str:
    return f"{100 * share:.0f}"


def _fine_per_cent(share: float) -> str:
    return f"{100 * share:.4g}"
