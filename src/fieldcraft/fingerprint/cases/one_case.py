"""What one case shows when it is read once: its classes as objects, and a sample of its intensities."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldcraft.data.case_pixels import mask_pieces, pieces
from fieldcraft.data.cases import Case, Cases
from fieldcraft.fingerprint.cases.objects import Objects, objects
from fieldcraft.records.streams import stream_seed

LARGEST = 64 * 2**20
"""Voxels of a case above which only every second (third, ...) along each axis is looked at."""
DRAWN = 20_000
"""Voxels of a case, and of each class in it, whose intensities are kept."""
PIECE = 16 * 2**20
COUNTED = 2**22
"""Voxels read, and counted, at once."""
MOSTLY = 0.5
"""Share of a case from which on a background is no object."""

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class OneCase:
    """What was found."""

    shape: tuple[int, ...]
    """As it was looked at."""
    spacing: tuple[float, ...]
    """Between voxels that were looked at."""
    step: int
    """Every how many voxels along each axis were looked at."""
    voxels: int
    """That carry a label."""
    void: int
    classes: Mapping[int, Objects]
    """By class id; classes that are not there are absent."""
    everywhere: Values
    """(channels, drawn) intensities of any voxel."""
    within: Mapping[int, Values]
    """(channels, drawn) of each class."""


def one_case(case: Case, inputs: Cases) -> OneCase:
    """Read an image and its mask. Raises: Unreadable."""
    step = max(1, int(np.ceil((case.geometry.voxels / LARGEST) ** (1 / len(case.geometry.shape)))))
    image, ids = thinned(case, inputs, step)
    random = np.random.default_rng(stream_seed(0, "fingerprint", f"case {case.name}"))
    flat = image.reshape(len(image), -1)
    labels = ids.ravel()
    counts = np.zeros(inputs.classes + 1, np.int64)
    for first in range(0, len(labels), COUNTED):
        counts += np.bincount(labels[first : first + COUNTED] + 1, minlength=len(counts))
    void, counts = int(counts[0]), counts[1:]  # VOID is -1
    found: dict[int, Objects] = {}
    within: dict[int, Values] = {}
    for one in np.flatnonzero(counts).tolist():
        apart = one > 0 or counts[0] <= MOSTLY * counts.sum()
        shown = objects(ids == one, apart=apart)
        assert shown is not None
        found[one] = shown
        if one > 0:
            there = np.flatnonzero(labels == one)
            within[one] = flat[:, there[_places(len(there), random)]].astype(np.float32)
    return OneCase(
        shape=ids.shape,
        spacing=tuple(size * step for size in case.geometry.spacing),
        step=step,
        voxels=int(counts.sum()),
        void=void,
        classes=found,
        everywhere=flat[:, _places(flat.shape[1], random)].astype(np.float32),
        within=within,
    )


def thinned(case: Case, inputs: Cases, step: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.int16]]:
    """(channels, *spatial) as stored, and class ids: every `step`-th voxel along each axis, piece by piece."""
    assert case.mask is not None
    shape = tuple(-(-side // step) for side in case.geometry.shape)
    image = np.empty((inputs.channels, *shape), np.dtype(case.dtype))
    for box, values in pieces(case, inputs.channels, PIECE):
        to, of = zip(*(_every(part, step) for part in box[1:]), strict=True)
        image[(box[0], *to)] = values[(slice(None), *of)]
    ids = np.empty(shape, np.int16)
    for box, found in mask_pieces(case.mask, inputs.table, PIECE):
        to, of = zip(*(_every(part, step) for part in box), strict=True)
        ids[to] = found[of]
    return image, ids


def _every(part: slice, step: int) -> tuple[slice, slice]:
    """Of a piece that goes to `part` of a whole axis: where its kept places go, and which of its own they are."""
    first = part.start or 0
    skipped = -first % step
    to = (first + skipped) // step
    return slice(to, None if part.stop is None else -(-part.stop // step)), slice(skipped, None, step)


def _places(many: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """All places, or as many as are kept, drawn with replacement."""
    return np.arange(many) if many <= DRAWN else random.integers(0, many, DRAWN)
