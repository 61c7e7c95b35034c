"""SVG elements with escaped content, and the scales that charts share."""

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

Attributes = Mapping[str, str | float]
SERIES = 6
"""Colours for series; further ones begin again with other dashes."""


def tag(name: str, attributes: Attributes, *children: str | Markup) -> Markup:
    """One element; attributes and text are escaped, markup is kept."""
    written = Markup("").join(Markup(' {}="{}"').format(key, _short(value)) for key, value in attributes.items())
    if not children:
        return Markup("<{}{}/>").format(Markup(name), written)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, joined(children))


def joined(parts: Sequence[str | Markup]) -> Markup:
    """Parts one after the other; plain text is escaped."""
    return Markup("").join(escape(part) for part in parts)


def drawing(label: str, width: float, height: float, parts: Sequence[Markup], kind: str = "") -> Markup:
    """An SVG of a natural size that shrinks with the page; `label` is what a screen reader says."""
    attributes: dict[str, str | float] = {
        "class": f"chart {kind}".strip(),
        "role": "img",
        "aria-label": label,
        "viewBox": f"0 0 {_short(width)} {_short(height)}",
        "width": width,
        "height": height,
    }
    return tag("svg", attributes, joined(parts))


def strip(label: str, height: float, parts: Sequence[Markup], kind: str = "") -> Markup:
    """An SVG as wide as its column, whose parts place themselves in per cent: text keeps its size on a phone."""
    attributes: dict[str, str | float] = {
        "class": f"chart strip {kind}".strip(),
        "role": "img",
        "aria-label": label,
        "width": "100%",
        "height": height,
    }
    return tag("svg", attributes, joined(parts))


def text(x: str | float, y: float, content: str, kind: str = "", anchor: str = "start") -> Markup:
    """A line of text; `anchor` is start, middle or end."""
    attributes: dict[str, str | float] = {"x": x, "y": y}
    if kind:
        attributes["class"] = kind
    if anchor != "start":
        attributes["text-anchor"] = anchor
    return tag("text", attributes, content)


def line(x1: str | float, y1: float, x2: str | float, y2: float, kind: str) -> Markup:
    """A straight line."""
    return tag("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "class": kind})


def series(index: int) -> str:
    """The class of the index-th series."""
    dash = " dashed" if index >= SERIES else ""
    return f"s{index % SERIES}{dash}"


def ticks(low: float, high: float, wanted: int = 4) -> tuple[float, ...]:
    """Round numbers from `low` to `high`, about as many as wanted."""
    if not high > low:
        return (low,)
    raw = (high - low) / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return tuple(round(index * step, 12) for index in range(first, last + 1))


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Powers of ten between two positive numbers, with multiples where they are few; even steps over a short way."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5)):
        found = tuple(10.0**power * factor for power in powers for factor in factors)
        kept = tuple(value for value in found if low * 0.999 <= value <= high * 1.001)
        if len(kept) >= 3:
            break
    return kept[:: math.ceil(len(kept) / 6)] if len(kept) > 1 else ticks(low, high)


def tick_text(value: float) -> str:
    """A tick's number, as short as possible."""
    if value == 0:
        return "0"
    if abs(value) >= 10_000 or abs(value) < 0.001:
        for limit, letter in ((1e6, "M"), (1e3, "k")):
            if abs(value) >= limit:
                return f"{value / limit:g}{letter}".replace("-", "−")
        mantissa, exponent = f"{value:.0e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    return f"{value:g}".replace("-", "−")


def _short(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
