"""Connected objects of one class in one mask: how many, how large, and how much of them is boundary."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

SPECK = 1e-3
"""Of the largest object of a class in a case: smaller ones are not counted."""

Region = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Objects:
    """One class in one case."""

    voxels: int
    extents: npt.NDArray[np.int64]
    """(objects, axes): sides of the box around each, in voxels."""
    middles: npt.NDArray[np.float64]
    """(objects, axes): middle of the box around each, as a share of each axis of the case."""
    boundary: float
    """Share of the voxels that touch something else, or the frame, by a face."""
    centre: npt.NDArray[np.float64]
    """Mean place of the voxels as a share of each axis, 0.5 in the middle."""


def objects(region: Region, *, apart: bool = True) -> Objects | None:
    """What a region is made of; None when it is empty. `apart`: whether connected objects are wanted.

    Shape: (*spatial), 1 to 3 axes. Objects touch by a face, an edge or a corner.
    """
    box = _box(region)
    if box is None:
        return None
    inside = region[box]
    voxels = int(np.count_nonzero(inside))
    spatial = region.ndim
    places = [np.arange(side, dtype=np.float64) for side in inside.shape]
    mean = [
        float(np.count_nonzero(inside, axis=tuple(other for other in range(spatial) if other != axis)) @ places[axis])
        / voxels
        for axis in range(spatial)
    ]
    centre = np.array(
        [(box[axis].start + mean[axis] + 0.5) / region.shape[axis] for axis in range(spatial)], np.float64
    )
    first, last = _boxes(inside) if apart else (np.empty((0, spatial), np.int64),) * 2
    start = np.array([part.start for part in box])
    return Objects(
        voxels=voxels,
        extents=last - first,
        middles=(start + (first + last) / 2) / np.array(region.shape),
        boundary=1 - np.count_nonzero(interior(inside)) / voxels,
        centre=centre,
    )


def interior(region: Region) -> Region:
    """Voxels of which all neighbours by a face are in the region; beyond the frame nothing is."""
    padded = np.pad(region, 1)
    found = region.copy()
    middle = [slice(1, -1)] * region.ndim
    for axis in range(region.ndim):
        for moved in (slice(0, -2), slice(2, None)):
            place = [*middle]
            place[axis] = moved
            found &= padded[tuple(place)]
    return found


def _boxes(inside: Region) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(objects, axes) twice: where the box around each object begins, and where it ends."""
    labelled, count = ndimage.label(inside, structure=np.ones((3,) * inside.ndim))
    sizes = np.bincount(labelled.ravel(), minlength=count + 1)[1:]
    large = sizes >= SPECK * sizes.max()
    kept = [box for box, keep in zip(ndimage.find_objects(labelled), large, strict=True) if keep]
    first = np.array([[one.start for one in box] for box in kept], np.int64)
    return first, np.array([[one.stop for one in box] for box in kept], np.int64)


def _box(region: Region) -> tuple[slice, ...] | None:
    box = []
    for axis in range(region.ndim):
        there = np.flatnonzero(region.any(axis=tuple(other for other in range(region.ndim) if other != axis)))
        if not len(there):
            return None
        box.append(slice(int(there[0]), int(there[-1]) + 1))
    return tuple(box)
