"""Which classes masks hold: as a file says, or derived from the numbers or colours in them."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fieldcraft.data.cases import UNSEEN, ClassTable, Source
from fieldcraft.data.images import Unreadable
from fieldcraft.data.near import listed
from fieldcraft.data.volumes.files import read_mask
from fieldcraft.data.volumes.header import BadFile
from fieldcraft.errors import DataError

FILE = "classes.csv"
MOST_CLASSES = 256
MOST_VOXELS = 1_000_000_000
"""Of masks that are read to find out which classes they hold."""
PIECE = 2**22
"""Voxels counted at once."""
CONVENTION = 255
"""The number that many sets give to voxels without a label."""
SMEARED, ALONE = 20, 0.5
"""Different numbers of a smeared mask, and the share of its voxels (those of its two commonest numbers aside) that have
the number of a neighbour: in regions nearly all have, in what compression leaves few."""

Counts = Mapping[int, int]
"""Number or colour in a mask -> voxels."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Numbers of the masks that were read."""

    counts: tuple[Counts | None, ...]
    """One a mask; None where it was not read or cannot be."""
    colours: bool
    broken: Mapping[int, BadFile]
    """Places of masks that cannot be read."""
    smears: Mapping[int, str] = field(default_factory=dict)
    """Places of masks that look as if they had been saved with losses, and why."""


def look(masks: Sequence[Source], voxels: Sequence[int]) -> Seen:
    """The numbers in the masks; in those of large sets, of as many as hold a billion voxels, evenly picked."""
    total = sum(voxels)
    step = max(1, -(-total // MOST_VOXELS))
    counts: list[Counts | None] = [None] * len(masks)
    broken: dict[int, BadFile] = {}
    smears: dict[int, str] = {}
    colours: list[bool] = []
    for place in range(0, len(masks), step):
        try:
            values, coloured = read_mask(masks[place])
            counts[place] = found = counted(values)
            if why := smeared(values, found):
                smears[place] = why
            colours.append(coloured)
        except BadFile as error:
            broken[place] = error
        except Unreadable as error:
            broken[place] = BadFile(str(error))
    if any(colours) and not all(colours):
        return _as_colours(Seen(counts=tuple(counts), colours=True, broken=broken), colours)
    return Seen(counts=tuple(counts), colours=any(colours), broken=broken, smears={} if any(colours) else smears)


def _as_colours(seen: Seen, colours: Sequence[bool]) -> Seen:
    """Gray pictures among coloured ones: their numbers are grays, 0xVVVVVV."""
    flags = iter(colours)
    counts = tuple(
        None if one is None else one if next(flags) else {value * 0x010101: many for value, many in one.items()}
        for one in seen.counts
    )
    return Seen(counts=counts, colours=True, broken=seen.broken)


def counted(values: npt.NDArray[np.generic]) -> Counts:
    """Voxels of each number. Raises: BadFile for fractions, NaN, or more numbers than there can be classes."""
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise BadFile("the mask holds NaN or infinity", "not-finite")
        whole = np.rint(values)
        if not np.array_equal(whole, values):
            raise BadFile("the mask holds fractions: class ids must be whole numbers (is it a probability map?)")
        values = whole.astype(np.int64)
    if values.dtype.kind == "u" and values.dtype.itemsize <= 2:
        flat = values.ravel()
        found = np.zeros(2 ** (8 * values.dtype.itemsize), np.int64)
        for first in range(0, len(flat), PIECE):
            # NumPy counts in numbers of 8 bytes: a large mask at once would need that many for each voxel.
            found += np.bincount(flat[first : first + PIECE], minlength=len(found))
        numbers = np.flatnonzero(found)
        many = found[numbers]
    else:
        numbers, many = np.unique(values, return_counts=True)
    counts = dict(zip(numbers.tolist(), many.tolist(), strict=True))
    if len(counts) > 4096:
        raise BadFile(
            f"the mask holds {len(counts):,} different numbers: class ids are expected, one number a class",
            "unknown-label",
        )
    return counts


def smeared(values: npt.NDArray[np.generic], counts: Counts) -> str | None:
    """Why a mask looks as if it had been saved as JPEG or resized with interpolation; None when it does not."""
    if len(counts) < SMEARED or values.ndim < 2:
        return None
    usual = sorted(counts, key=lambda value: -counts[value])[:2]
    rest = ~np.isin(values, usual)
    like = np.zeros(values.shape, np.bool_)
    for axis in range(values.ndim):
        low = tuple(slice(0, -1) if other == axis else slice(None) for other in range(values.ndim))
        high = tuple(slice(1, None) if other == axis else slice(None) for other in range(values.ndim))
        same = values[low] == values[high]
        like[low] |= same
        like[high] |= same
    if not rest.any() or like[rest].mean() >= ALONE:
        return None
    return (
        f"it holds {len(counts)} different numbers, scattered around {listed(map(str, sorted(usual)))}: it looks as if "
        "it had been saved as JPEG or resized with interpolation. Make it again from the original"
    )


def derived(seen: Seen, void: Sequence[int], whole_bytes: bool) -> tuple[ClassTable, tuple[str, ...]]:
    """A table from the numbers that occur, and what was concluded. `whole_bytes`: whether masks are pictures.

    The smallest number is the background. In pictures, 255 beside 0, 1, 2, ... means no label, as in PASCAL VOC.
    Raises: DataError when there are more numbers than there can be classes.
    """
    every = sorted({value for one in seen.counts if one is not None for value in one})
    told = set(void)
    values = [value for value in every if value not in told]
    notes: list[str] = []
    if (
        not void
        and not seen.colours
        and whole_bytes
        and len(values) > 2
        and values == [*range(len(values) - 1), CONVENTION]
    ):
        values, told = values[:-1], {CONVENTION}
        notes.append(f"masks hold 0 to {values[-1]} and 255, which is taken for: no label ({FILE} can say otherwise)")
    if len(values) > MOST_CLASSES:
        raise DataError(
            f"masks hold {len(values):,} different {'colours' if seen.colours else 'numbers'}: at most {MOST_CLASSES} "
            f"classes can be told apart. If each object has a number of its own, make one number a class of it; else "
            f"name the classes in a {FILE} (columns value and name)."
        )
    if not values:
        raise DataError("masks hold no number but those that mean: no label.")
    shown = [_shown(value, seen.colours) for value in values]
    if len(values) == 2 and not seen.colours:
        names = ["background", "foreground"]
    else:
        names = ["background" if value == 0 else text for value, text in zip(values, shown, strict=True)]
    what = "colours" if seen.colours else "numbers"
    notes.append(f"classes were derived from the {what} in the masks: {listed(shown, 12)}; the first is the background")
    return ClassTable(names=tuple(names), values=tuple(values), void=tuple(sorted(told)), colours=seen.colours), tuple(
        notes
    )


def presence(seen: Seen, table: ClassTable) -> npt.NDArray[np.uint8]:
    """(masks, classes): 1 where the class occurs, 0 where not, 2 where the mask was not looked at."""
    found = np.full((len(seen.counts), len(table.names)), UNSEEN, np.uint8)
    for place, one in enumerate(seen.counts):
        if one is not None:
            found[place] = [value in one for value in table.values]
    return found


def from_file(path: Path, void: Sequence[int] = ()) -> ClassTable:
    """The table that a classes.csv gives: columns value and name, or r, g, b (or colour as #RRGGBB) and name.

    A class named "void" or "ignore" is no class: its number means no label. The first line is the background.
    Raises: DataError naming the line at fault.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [
                {str(key).strip().lower(): str(value or "").strip() for key, value in row.items()}
                for row in csv.DictReader(file)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}. Give the columns value and name.") from error
    if not rows or "name" not in rows[0] or not ({"value", "colour", "color"} & rows[0].keys() or "r" in rows[0]):
        has = listed(rows[0]) if rows else "no lines"
        raise DataError(f"{path} must have the columns value (or r, g, b, or colour) and name, but has {has}.")
    colours = "value" not in rows[0]
    names: list[str] = []
    values: list[int] = []
    nothing = list(void)
    for line, row in enumerate(rows, 2):
        try:
            value = _value(row)
        except ValueError as error:
            raise DataError(f"{path}, line {line}: {error}.") from error
        if row["name"].lower() in ("void", "ignore", "unlabelled", "unlabeled"):
            nothing.append(value)
        elif value not in void:
            names.append(row["name"] or str(value))
            values.append(value)
    if twice := {value for value in values if values.count(value) > 1}:
        raise DataError(f"{path} gives {listed(_shown(one, colours) for one in sorted(twice))} to two classes.")
    if twice_named := {name for name in names if names.count(name) > 1}:
        raise DataError(f"{path} names {listed(sorted(twice_named))} twice: give each class a name of its own.")
    return ClassTable(names=tuple(names), values=tuple(values), void=tuple(nothing), colours=colours)


def _value(row: Mapping[str, str]) -> int:
    if "value" in row:
        return int(row["value"])
    if "r" in row:
        red, green, blue = (int(row[key]) for key in ("r", "g", "b"))
        if not all(0 <= part <= 255 for part in (red, green, blue)):
            raise ValueError(f"colours lie in 0 .. 255, but are {red}, {green}, {blue}")
        return (red << 16) + (green << 8) + blue
    return int((row.get("colour") or row.get("color") or "").removeprefix("#"), 16)


def _shown(value: int, colour: bool) -> str:
    return f"#{value:06x}" if colour else str(value)
