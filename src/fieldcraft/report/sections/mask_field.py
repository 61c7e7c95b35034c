"""How far a network of masks sees, and how large a patch is, beside the largest object of the test cases."""

from dataclasses import dataclass

import numpy as np

from fieldcraft.records.mask_results import MaskResults
from fieldcraft.report.charts.receptive_field import Square, receptive_field_chart
from fieldcraft.report.mask_measures import class_words
from fieldcraft.report.page import Figure, Key
from fieldcraft.report.pixels import data_uri, picture
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import number, percent

LONGEST = 384


@dataclass(frozen=True)
class Reach:
    """Three rectangles over a slice."""

    told: str
    figure: Figure
    keys: tuple[Key, ...]


@dataclass(frozen=True)
class _Largest:
    """The arrays of the largest object, named."""

    image: np.ndarray
    name: str
    where: str
    ends: str
    """What is at the top, the right, the bottom and the left; empty: not known."""
    class_id: int
    extent: tuple[float, ...]
    box: tuple[int, int, int, int]
    axes: tuple[int, int]
    spacing: tuple[float, ...]
    step: int


def mask_field(run: Run, found: MaskResults, unit: str) -> Reach | None:
    """None where no network won, or the run is of a fieldcraft that kept no largest object."""
    one = _largest(run)
    if one is None or not found.field or len(found.patch) != len(one.extent):
        return None
    grid = found.spacing or one.spacing
    fine = min(one.spacing[axis] for axis in one.axes)
    stretch = [one.spacing[axis] * one.step / fine for axis in one.axes]
    height, width = (round(side * by) for side, by in zip(one.image.shape[:2], stretch, strict=True))
    top, left, bottom, right = (round(edge * by) for edge, by in zip(one.box, (*stretch, *stretch), strict=True))
    middle = (top + bottom) // 2, (left + right) // 2

    def square(name: str, sides: tuple[int, ...]) -> Square:
        lengths = [max(1, round(sides[axis] * grid[axis] / fine)) for axis in one.axes]
        (row, column) = (
            (_within(at, length, whole), length)
            for at, length, whole in zip(middle, lengths, (height, width), strict=True)
        )
        return Square(name, (row[0], row[0] + row[1] - 1), (column[0], column[0] + column[1] - 1))

    squares = (
        square("patch", found.patch),
        square("field", found.field),
        Square("object", (top, bottom - 1), (left, right - 1)),
    )
    named = class_words(found.names[one.class_id])
    keys = (
        Key(f"Training patch: {_sides(found.patch)} voxels", 0),
        Key(f"Receptive field of the deepest level: {_sides(found.field)} voxels", 1),
        Key(f"Largest object, {named}: {_sides(one.extent)} {unit}", 2),
    )
    chart = receptive_field_chart(
        data_uri(picture(one.image), LONGEST),
        height,
        width,
        squares,
        small=True,
        named=True,
        ends=one.ends,
        label="; ".join(key.name for key in keys),
    )
    caption = f"{', '.join(filter(None, (one.name, one.where)))}. Dashed: reaches beyond the drawing."
    return Reach(_words(found, one, grid), Figure(chart, caption), keys)


def _words(found: MaskResults, one: _Largest, grid: tuple[float, ...]) -> str:
    covered = [sides * step / extent for sides, step, extent in zip(found.field, grid, one.extent, strict=True)]
    least = min(covered)
    if least >= 1:
        return (
            f"A voxel of the deepest level sees at least {number(least, 2)} times the largest object along each axis."
        )
    return (
        f"A voxel of the deepest level sees only {percent(least, 0)} of the largest object along axis "
        f"{covered.index(least)}: what can be told from its whole shape is out of reach there."
    )


def _within(middle: int, length: int, whole: int) -> int:
    """Where a side begins that should lie around `middle`, but inside of the case where it fits."""
    first = middle - length // 2
    return min(max(first, 0), whole - length) if length <= whole else first


def _sides(lengths: tuple[int, ...] | tuple[float, ...]) -> str:
    return " x ".join(number(side) if side % 1 else f"{side:.0f}" for side in lengths)


def _largest(run: Run) -> _Largest | None:
    names = ("image", "words", "class", "extent", "box", "axes", "spacing", "step")
    arrays = {name: run.pixels.get(f"largest_{name}") for name in names}
    if any(array is None for array in arrays.values()):
        return None
    image, words, class_id, extent, box, axes, spacing, step = (np.asarray(arrays[name]) for name in names)
    top, left, bottom, right = map(int, box)
    return _Largest(
        image=image,
        name=str(words[0]),
        where=str(words[1]),
        ends=str(words[2]),
        class_id=int(class_id),
        extent=tuple(map(float, extent)),
        box=(top, left, bottom, right),
        axes=(int(axes[0]), int(axes[1])),
        spacing=tuple(map(float, spacing)),
        step=int(step),
    )
