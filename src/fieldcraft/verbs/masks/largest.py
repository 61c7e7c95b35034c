"""The largest object of the cases, for the report: a patch and a receptive field are drawn beside it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects, generate_binary_structure, label

from fieldcraft.data.cases import Geometry
from fieldcraft.prediction.masks.pair import Labels
from fieldcraft.verbs.masks.pictures import LONGEST, Plane, grey_of, planes_through


@dataclass(frozen=True, kw_only=True, eq=False)
class Largest:
    """One connected object, in the plane through its middle."""

    name: str
    """Of its case."""
    class_id: int
    volume: float
    """In units of the spacing."""
    extent: tuple[float, ...]
    """Sides of the box around it along each axis of the case, in units of the spacing."""
    image: Plane
    """(height, width), uint8: the plane."""
    box: tuple[int, int, int, int]
    """Of the object in the plane: first row, first column, one past the last row and column."""
    axes: tuple[int, int]
    """Of the case, down and across."""
    spacing: tuple[float, ...]
    """Of the case."""
    step: int
    """Voxels from one pixel to the next."""
    where: str
    ends: str
    """What is at the top, the right, the bottom and the left; empty: not known."""


def largest_of(
    image: npt.NDArray[np.generic], truth: Labels, geometry: Geometry, *, name: str, than: Largest | None
) -> Largest | None:
    """The largest object of a case where it is larger than the one so far; else that one.

    Objects touch by faces, edges or corners, and are of any class but the background. Cost: one labelling a class.
    """
    found = than
    for class_id in (int(one) for one in np.unique(truth) if one > 0):
        pieces, count = label(truth == class_id, generate_binary_structure(truth.ndim, truth.ndim))
        sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
        place = int(np.argmax(sizes))
        volume = float(sizes[place] * np.prod(geometry.spacing))
        if found is None or volume > found.volume:
            found = _drawn(image, find_objects(pieces)[place], geometry, name, class_id, volume)
    return found


def arrays_of_largest(one: Largest | None) -> dict[str, npt.NDArray[np.generic]]:
    """Arrays for `thumbnails.npz`."""
    if one is None:
        return {}
    return {
        "largest_image": one.image,
        "largest_words": np.array([one.name, one.where, one.ends]),
        "largest_class": np.array(one.class_id),
        "largest_extent": np.array(one.extent),
        "largest_box": np.array(one.box),
        "largest_axes": np.array(one.axes),
        "largest_spacing": np.array(one.spacing),
        "largest_step": np.array(one.step),
    }


def _drawn(
    image: npt.NDArray[np.generic],
    around: tuple[slice, ...],
    geometry: Geometry,
    name: str,
    class_id: int,
    volume: float,
) -> Largest:
    shape = geometry.shape
    lie = planes_through(tuple((one.start + one.stop) // 2 for one in around), geometry)[0]
    step = max(1, -(-max(shape[axis] for axis in lie.axes) // LONGEST))
    boxed = np.zeros(shape, bool)
    boxed[around] = True
    laid = lie.laid(boxed, step)
    rows, columns = np.flatnonzero(laid.any(axis=1)), np.flatnonzero(laid.any(axis=0))
    return Largest(
        name=name,
        class_id=class_id,
        volume=volume,
        extent=tuple((one.stop - one.start) * side for one, side in zip(around, geometry.spacing, strict=True)),
        image=grey_of(image, lie, step),
        box=(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1),
        axes=lie.axes,
        spacing=geometry.spacing,
        step=step,
        where=lie.where,
        ends=lie.ends,
    )
