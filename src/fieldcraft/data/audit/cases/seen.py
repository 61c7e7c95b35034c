"""What was found in each case when its image and mask were read once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fieldcraft.data.audit.seen import Deadline
from fieldcraft.data.case_pixels import as_told
from fieldcraft.data.cases import UNKNOWN, VOID, Case, Cases, ClassTable
from fieldcraft.data.class_numbers import counted
from fieldcraft.data.dataset import Dataset
from fieldcraft.data.images import Unreadable
from fieldcraft.data.volumes.files import image_slabs, read_mask
from fieldcraft.data.volumes.header import BadFile
from fieldcraft.records.audit import Kind
from fieldcraft.records.streams import stream_seed

PIECE = 16 * 2**20
"""Values of an image that are looked at at once."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """One case."""

    broken: str | None = None
    """Why it cannot be read or used."""
    kind: Kind = "unreadable"
    endless: int = 0
    """Values of the image that are NaN or infinity."""
    flat: tuple[int, ...] = ()
    """Channels that hold one value only."""
    unknown: Mapping[int, int] | None = None
    """Numbers of the mask that name no class -> voxels."""
    empty: bool = False
    """Whether the mask holds nothing but the background (or no label at all)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SeenCases:
    """A data set of cases, each read once, as far as there was time."""

    dataset: Dataset
    inputs: Cases
    deadline: Deadline

    @cached_property
    def looks(self) -> tuple[Look | None, ...]:
        """One a case; None where there was no time for it."""
        found: list[Look | None] = [None] * len(self.inputs)
        order = np.random.default_rng(stream_seed(0, "audit", "cases")).permutation(len(found))
        for place in order.tolist():
            if found.count(None) < len(found) and self.deadline.over():
                break
            found[place] = look(self.inputs.cases[place], self.inputs.table)
        return tuple(found)

    def where(self, holds: Callable[[Look], bool]) -> list[int]:
        """Rows of the cases that were read and of which something holds."""
        return [row for row, one in enumerate(self.looks) if one is not None and holds(one)]

    def names(self, rows: Sequence[int]) -> tuple[str, ...]:
        """Their names."""
        return tuple(self.dataset.ids[row] for row in rows)

    def of(self, row: int) -> Look:
        """What was found in a case that was read."""
        one = self.looks[row]
        assert one is not None
        return one


def look(case: Case, table: ClassTable) -> Look:
    """Read a case and its mask once."""
    what = "image"
    try:
        endless, flat = _image(case)
        what = "mask"
        unknown, empty = _mask(case, table)
    except Unreadable as error:
        return Look(broken=f"its {what}: {error}", kind=error.kind if isinstance(error, BadFile) else "unreadable")
    return Look(endless=endless, flat=flat, unknown=unknown, empty=empty)


def _image(case: Case) -> tuple[int, tuple[int, ...]]:
    """Values that are no numbers, and channels with one value."""
    endless, flat, first = 0, [], 0
    for source in case.images:
        low: npt.NDArray[np.float64] | None = None
        high = low
        for _, _, values in image_slabs(source, PIECE):
            planes = values.reshape(len(values), -1)
            if values.dtype.kind == "f":
                endless += int((~np.isfinite(planes)).sum())
            least, most = planes.min(axis=1).astype(np.float64), planes.max(axis=1).astype(np.float64)
            low = least if low is None else np.minimum(low, least)
            high = most if high is None else np.maximum(high, most)
        assert low is not None and high is not None
        flat += [first + channel for channel in np.flatnonzero(low == high).tolist()]
        first += len(low)
    return endless, tuple(flat)


def _mask(case: Case, table: ClassTable) -> tuple[Mapping[int, int], bool]:
    """Numbers without a class, and whether only the background is there."""
    if case.mask is None:
        return {}, False
    values, coloured = read_mask(case.mask)
    counts = counted(as_told(values, coloured, table))
    numbers = np.array(list(counts), np.int64)
    ids = table.ids(numbers)
    unknown = {int(number): counts[int(number)] for number in numbers[ids == UNKNOWN]}
    return unknown, bool(((ids == 0) | (ids == VOID)).all())
