"""Facts of images with masks in words: a row of name, value, method and sample each."""

from collections.abc import Callable
from typing import TypeVar

from fieldcraft.records.fact import Fact
from fieldcraft.records.segmentation import CaseFacts, ClassFacts, Intensity, Mirror, Spread
from fieldcraft.report.wording import mebibytes, number, percent

T = TypeVar("T")
Row = tuple[str, str, str, str]
"""What it is, its value, how it was found, on what."""
SURVIVES = {"yes": "labels survive", "no": "labels do not survive", "cannot-tell": "masks cannot tell"}


def case_rows(facts: CaseFacts) -> list[Row]:
    """Shapes, spacings, intensities, classes with their objects, mirrorings, memory."""
    named = f" ({', '.join(facts.channel_names)})" if facts.channel_names else ""
    pointing = f", pointing {', '.join(facts.orientations)}" if facts.orientations else ""
    axes = f"{facts.channels} channel(s){named}, {facts.spatial} axes{pointing}"
    unit = f"objects, {facts.unit}"
    return [
        ("Channels and axes", axes, "headers of the files", "all cases"),
        _row("Voxels along each axis", facts.shape, _along),
        _row(f"Spacing along each axis, {facts.unit}", facts.spacing, _along),
        _row("Largest spacing over smallest", facts.anisotropy, number),
        _row("Intensity of each channel", facts.intensity, _intensities),
        _row("Intensity within classes but the first", facts.foreground, _intensities),
        *([_row("Scale from case to case, x", facts.scales, _listed)] if facts.scales is not None else []),
        *(_class_row(facts.classes, one, unit) for one in facts.classes.value),
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
    return "; ".join(
        number(one.median)
        if one.least == one.most
        else f"{number(one.median)} ({number(one.least)} to {number(one.most)})"
        for one in axes
    )


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(map(number, values))


def _intensities(channels: tuple[Intensity, ...]) -> str:
    return "; ".join(
        f"mean {number(one.mean)}, deviation {number(one.std)}, 0.5 to 99.5 % {number(one.low)} to {number(one.high)}"
        for one in channels
    )


def _class_row(fact: Fact[tuple[ClassFacts, ...]], one: ClassFacts, unit: str) -> Row:
    parts = [f"{percent(one.share)} of voxels", f"in {percent(one.cases)} of cases"]
    if one.objects is not None:
        parts.append(f"{number(one.objects.median)} object(s) a case")
    if one.extent_mm:
        sides = " x ".join(
            f"{number(side.median)} (10 to 90 %: {number(side.low)} to {number(side.high)})" for side in one.extent_mm
        )
        parts.append(f"{unit} {sides}")
    if one.boundary is not None:
        parts.append(f"{percent(one.boundary)} of it is boundary")
    return f"Class {one.name}", ", ".join(parts), fact.method, fact.sample


def _mirrored(one: Mirror) -> str:
    return f"{SURVIVES[one.survives]}: {one.because}"
