"""Pairs as lines from one arm to the other."""

from collections.abc import Sequence

from markupsafe import Markup

from fieldcraft.report.charts.frame import padded
from fieldcraft.report.charts.svg import drawing, line, tag, text, ticks

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 250.0, 170.0, 62.0, 28.0, 10.0, 26.0


def slope_chart(pairs: Sequence[tuple[float, float]], *, label: str, higher_is_better: bool, unit: float) -> Markup:
    """One line a pair, from its score without the factor to that with it; those that got worse are dashed.

    `unit`: what scores are multiplied by before they are written.
    """
    values = [value for pair in pairs for value in pair]
    low, high = padded(min(values), max(values), 0.08)
    inset = 22.0
    places = (LEFT + inset, WIDTH - RIGHT - inset)

    def at(value: float) -> float:
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts: list[Markup] = []
    for value in ticks(low * unit, high * unit, 4):
        y = at(value / unit)
        parts += [line(LEFT, y, WIDTH - RIGHT, y, "grid"), text(LEFT - 6, y + 4, f"{value:g}", "tick", "end")]
    for off, on in pairs:
        better = on > off if higher_is_better else on < off
        kind = "better" if better else "worse"
        parts.append(line(places[0], at(off), places[1], at(on), f"slope {kind}"))
        parts += [
            tag("circle", {"class": f"end {kind}", "cx": x, "cy": at(value), "r": 2.4})
            for x, value in zip(places, (off, on), strict=True)
        ]
    means = [sum(pair[side] for pair in pairs) / len(pairs) for side in (0, 1)]
    parts.append(line(places[0], at(means[0]), places[1], at(means[1]), "slope mean"))
    parts += [text(x, HEIGHT - 8, word, "label", "middle") for x, word in zip(places, ("without", "with"), strict=True)]
    return drawing(label, WIDTH, HEIGHT, parts)
