"""Slices for the report: the image, what is there, and what was predicted, where the two differ most.

Slices lie as people look at them: where it is known how a case lies in space, superior or else anterior is up, and the
patient's right is on the left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.data.cases import Geometry
from fieldcraft.prediction.masks.model import PredictedMask
from fieldcraft.prediction.masks.pair import VOID, Labels

LONGEST = 512
"""Pixels a side of a slice that is kept; larger ones are thinned out."""
CASES = 12
"""That are shown."""
ALL_ROUND = 3
"""Of them, the worst: volumes are shown in all three planes."""
Plane = npt.NDArray[np.generic]
UP, LEFT = "SA", "RA"
"""Where a slice's rows and columns should begin, the first that is among an axis' two ends."""
RAS = "RAS"
"""The direction that goes up is the last of these that a slice has."""
PLANES = {"S": "axial", "A": "coronal", "R": "sagittal"}
"""By the direction that a slice lies across."""
OPPOSITE = {"R": "L", "L": "R", "A": "P", "P": "A", "S": "I", "I": "S"}


@dataclass(frozen=True, kw_only=True)
class Lie:
    """How a plane of a case is laid on the page."""

    index: tuple[slice | int, ...]
    """The plane in the case."""
    axes: tuple[int, int]
    """Of the case, down and across."""
    flipped: tuple[bool, bool]
    """Whether rows and columns run backwards."""
    ends: str
    """What is at the top, the right, the bottom and the left, such as ALPR; empty: not known."""
    where: str
    """Which slice it is, in words; empty: the case has no other."""

    def laid(self, values: Plane, step: int = 1) -> Plane:
        """The plane of (*spatial) values, every `step`th voxel; of series, one row."""
        flat = values[self.index]
        flat = flat if flat.ndim == 2 else flat[None]
        if self.axes[0] > self.axes[1]:
            flat = flat.T
        rows, columns = (slice(None, None, -step if back else step) for back in self.flipped)
        laid: Plane = np.ascontiguousarray(flat[rows, columns])
        return laid


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """One slice of a case."""

    name: str
    score: float
    """Mean Dice of the case."""
    image: Plane
    """(height, width), uint8."""
    truth: Plane
    """(height, width), class ids; -1: void."""
    predicted: Plane
    uncertainty: Plane
    """(height, width), uint8: 255 is as unsure as can be."""
    where: str
    """Which slice it is, in words."""
    ends: str
    """What is at the top, the right, the bottom and the left, such as ALPR; empty: not known."""
    pixel: tuple[float, float]
    """Height and width of a pixel, in units of the spacing."""


def shown_slices(
    image: npt.NDArray[np.generic],
    truth: Labels,
    said: PredictedMask,
    geometry: Geometry,
    *,
    name: str,
    score: float,
) -> tuple[Shown, ...]:
    """Of a picture, all of it; of a volume the slice along each axis with the most mistakes, finest slices first."""
    wrong = (truth != said.mask) & (truth != VOID)
    counted = wrong if wrong.any() else np.asarray(truth) > 0
    places = tuple(int(np.argmax(counted.sum(axis=_others(axis, counted.ndim)))) for axis in range(counted.ndim))
    window, unsure = window_of(image), said.uncertainty
    found = []
    for lie in planes_through(places, geometry):
        step = max(1, -(-max(truth.shape[axis] for axis in lie.axes) // LONGEST))
        found.append(
            Shown(
                name=name,
                score=score,
                image=grey_of(image, lie, step, window),
                truth=lie.laid(np.asarray(truth, np.int16), step),
                predicted=lie.laid(said.mask, step),
                uncertainty=(lie.laid(unsure, step) * 255).round().astype(np.uint8),
                where=lie.where,
                ends=lie.ends,
                pixel=_pixel(geometry, lie, step),
            )
        )
    return tuple(found)


def worst(cases: Sequence[tuple[Shown, ...]]) -> list[tuple[Shown, ...]]:
    """Those that are shown, the worst first."""
    return sorted(cases, key=lambda one: one[0].score)[:CASES]


def arrays_of(cases: Sequence[tuple[Shown, ...]]) -> dict[str, npt.NDArray[np.generic]]:
    """Arrays for `thumbnails.npz`, the worst case first; slices of one case follow each other."""
    ordered = [slice_ for place, one in enumerate(worst(cases)) for slice_ in (one if place < ALL_ROUND else one[:1])]
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "case_ids": np.array([one.name for one in ordered]),
        "case_slices": np.array([one.where for one in ordered]),
        "case_ends": np.array([one.ends for one in ordered]),
        "case_pixels": np.array([one.pixel for one in ordered]),
    }
    for place, one in enumerate(ordered):
        arrays |= {
            f"case_{place}_image": one.image,
            f"case_{place}_truth": one.truth,
            f"case_{place}_predicted": one.predicted,
            f"case_{place}_uncertainty": one.uncertainty,
        }
    return arrays


def planes_through(places: Sequence[int], geometry: Geometry) -> tuple[Lie, ...]:
    """The planes of a volume through one voxel, those of the finest grid first; of a picture, all of it."""
    dimensions = len(geometry.shape)
    if dimensions < 3:
        every = (slice(None),) * dimensions
        return (Lie(index=every, axes=(0, dimensions - 1), flipped=(False, False), ends="", where=""),)
    order = sorted(range(3), key=lambda axis: (-geometry.spacing[axis], geometry.shape[axis]))
    return tuple(_across(axis, places[axis], geometry) for axis in order)


def window_of(image: npt.NDArray[np.generic]) -> tuple[float, float]:
    """Black and white of the first channel: all but a hundredth of the case's values lie between them."""
    low, high = np.percentile(np.asarray(image[0], np.float32), [0.5, 99.5])
    return float(low), float(high)


def grey_of(image: npt.NDArray[np.generic], lie: Lie, step: int, window: tuple[float, float]) -> Plane:
    """The plane of the first channel, (height, width) as uint8."""
    low, high = window
    grey = (lie.laid(image[0], step).astype(np.float32) - low) / max(high - low, 1e-12) * 255
    shown: Plane = grey.clip(0, 255).astype(np.uint8)
    return shown


def _across(across: int, place: int, geometry: Geometry) -> Lie:
    """How the plane of a volume across one axis is laid on the page."""
    codes = geometry.orientation
    first, second = _others(across, 3)
    where = f"slice {place + 1} of {geometry.shape[across]}"
    index = tuple(place if axis == across else slice(None) for axis in range(3))
    if len(codes) != 3 or any(code not in OPPOSITE for code in codes):
        where = f"{where} along axis {across}"
        return Lie(index=index, axes=(first, second), flipped=(False, False), ends="", where=where)
    down, over = sorted((first, second), key=lambda axis: -RAS.index(_plain(codes[axis])))
    back_down, back_over = codes[down] in UP, codes[over] in LEFT
    top = codes[down] if back_down else OPPOSITE[codes[down]]
    left = codes[over] if back_over else OPPOSITE[codes[over]]
    return Lie(
        index=index,
        axes=(down, over),
        flipped=(back_down, back_over),
        ends=top + OPPOSITE[left] + OPPOSITE[top] + left,
        where=f"{PLANES[_plain(codes[across])]} {where}",
    )


def _pixel(geometry: Geometry, lie: Lie, step: int) -> tuple[float, float]:
    """Height and width of a pixel of the plane."""
    down, over = (geometry.spacing[axis] * step for axis in lie.axes)
    return down, over


def _others(axis: int, dimensions: int) -> tuple[int, ...]:
    return tuple(other for other in range(dimensions) if other != axis)


def _plain(code: str) -> str:
    return code if code in RAS else OPPOSITE[code]
