"""Facts of images with masks in words: a row of name, value, method and sample each."""

from collections.abc import Callable
from typing import TypeVar

from fieldcraft.records.fact import Fact
from fieldcraft.records.segmentation import CaseFacts, ClassFacts, Intensity, Mirror, Spread
from fieldcraft.report.wording import mebibytes, number, percent, plural

T = TypeVar("T")
Row = tuple[str, str, str, str]
"""What it is, its value, how it was found, on what."""
SURVIVES = {"yes": "labels survive", "no": "labels do not survive", "cannot-tell": "masks cannot tell"}


def case_rows(facts: CaseFacts) -> list[Row]:
    """Shapes, spacings, intensities, classes with their objects, mirrorings, memory."""
    named = f" ({', '.join(facts.channel_names)})" if facts.channel_names else ""
    pointing = f", pointing {', '.join(facts.orientations)}" if facts.orientations else ""
    axes = f"{plural(facts.channels, 'channel')}{named}, {facts.spatial} axes{pointing}"
    return [
        ("Channels and axes", axes, "headers of the files", "all cases"),
        _row("Voxels along each axis", facts.shape, _along),
        _row(f"Spacing along each axis, {facts.unit}", facts.spacing, _along),
        _row("Largest spacing over smallest", facts.anisotropy, _short),
        _row("Intensity of each channel", facts.intensity, _intensities),
        _row("Intensity within classes but the first", facts.foreground, _intensities),
        *([_row("Scale from case to case, x", facts.scales, _listed)] if facts.scales is not None else []),
        *(_class_row(facts.classes, one, facts.unit) for one in facts.classes.value),
        _row("Voxels without a label", facts.void, percent),
        *(
            (f"Mirrored along axis {one.axis}", _mirrored(one), facts.mirrors.method, facts.mirrors.sample)
            for one in facts.mirrors.value
        ),
        _row("Memory of all cases", facts.memory_mib, mebibytes),
        _row("Memory of the largest case", facts.largest_mib, mebibytes),
    ]


def _row(name: str, fact: Fact[T], shown: Callable[[T], str]) -> Row:
    return name, shown(fact.value), fact.method, fact.sample


def _along(axes: tuple[Spread, ...]) -> str:
    return " x ".join(_spread(one, one.least, one.most) for one in axes)


def _spread(one: Spread, low: float, high: float) -> str:
    """The median, and in brackets how far the numbers go, where they differ."""
    return _short(one.median) if low == high else f"{_short(one.median)} ({_short(low)} to {_short(high)})"


def _short(value: float) -> str:
    """Three digits, without noughts behind the point; powers of ten stay."""
    shown = number(value)
    return shown.rstrip("0").rstrip(".") if "." in shown and "e" not in shown else shown


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(map(number, values))


def _intensities(channels: tuple[Intensity, ...]) -> str:
    return "; ".join(
        f"mean {_short(one.mean)}, deviation {_short(one.std)}, all but 1 % within {_short(one.low)} to "
        f"{_short(one.high)}"
        for one in channels
    )


def _class_row(fact: Fact[tuple[ClassFacts, ...]], one: ClassFacts, unit: str) -> Row:
    parts = [f"{percent(one.share)} of voxels", f"in {percent(one.cases, 0)} of cases"]
    if one.objects is not None:
        count = _short(one.objects.median)
        parts.append(f"{count} object{'' if count == '1' else 's'} a case")
    if one.extent_mm:
        sides = " x ".join(_spread(side, side.low, side.high) for side in one.extent_mm)
        parts.append(f"each {sides} {unit} (median, 10th to 90th percentile)")
    if one.boundary is not None:
        parts.append(f"{percent(one.boundary)} of it is boundary")
    return f"Class {one.name}", ", ".join(parts), fact.method, fact.sample


def _mirrored(one: Mirror) -> str:
    return f"{SURVIVES[one.survives]}: {one.because}"
