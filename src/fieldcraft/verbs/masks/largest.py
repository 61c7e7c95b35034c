"""The largest object of the cases, for the report: a patch and a receptive field are drawn beside it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects, generate_binary_structure, label

from fieldcraft.data.cases import Geometry
from fieldcraft.prediction.masks.pair import Labels
from fieldcraft.verbs.masks.pictures import LONGEST, Plane, grey_of, planes_through, window_of


@dataclass(frozen=True, kw_only=True, eq=False)
class Largest:
    """One connected object of a case."""

    name: str
    """Of its case."""
    image: npt.NDArray[np.generic]
    """(channels, *spatial): the case."""
    geometry: Geometry
    class_id: int
    volume: float
    """In units of the spacing."""
    around: tuple[slice, ...]
    """The box around it, along each axis of the case."""

    @property
    def extent(self) -> tuple[float, ...]:
        """Sides of the box along each axis of the case, in units of the spacing."""
        sides = zip(self.around, self.geometry.spacing, strict=True)
        return tuple((one.stop - one.start) * side for one, side in sides)


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """The plane through the middle of an object, as it lies on the page."""

    image: Plane
    """(height, width), uint8."""
    box: tuple[int, int, int, int]
    """Of the object in the plane: first row, first column, one past the last row and column."""
    axes: tuple[int, int]
    """Of the case, down and across."""
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
            found = Largest(
                name=name,
                image=image,
                geometry=geometry,
                class_id=class_id,
                volume=volume,
                around=find_objects(pieces)[place],
            )
    return found


def drawn(one: Largest) -> Drawn:
    """The first plane through the middle of an object: that of the finest grid."""
    shape = one.geometry.shape
    lie = planes_through(tuple((side.start + side.stop) // 2 for side in one.around), one.geometry)[0]
    step = max(1, -(-max(shape[axis] for axis in lie.axes) // LONGEST))
    rows, columns = (
        _pixels(one.around[axis], shape[axis], back, step) for axis, back in zip(lie.axes, lie.flipped, strict=True)
    )
    if len(shape) == 1:
        rows = (0, 1)
    return Drawn(
        image=grey_of(one.image, lie, step, window_of(one.image)),
        box=(rows[0], columns[0], rows[1], columns[1]),
        axes=lie.axes,
        step=step,
        where=lie.where,
        ends=lie.ends,
    )


def arrays_of_largest(one: Largest | None) -> dict[str, npt.NDArray[np.generic]]:
    """Arrays for `thumbnails.npz`."""
    if one is None:
        return {}
    plane = drawn(one)
    return {
        "largest_image": plane.image,
        "largest_words": np.array([one.name, plane.where, plane.ends]),
        "largest_class": np.array(one.class_id),
        "largest_extent": np.array(one.extent),
        "largest_box": np.array(plane.box),
        "largest_axes": np.array(plane.axes),
        "largest_spacing": np.array(one.geometry.spacing),
        "largest_step": np.array(plane.step),
    }


def _pixels(side: slice, length: int, back: bool, step: int) -> tuple[int, int]:
    """First pixel, and one past the last, of a side that is laid backwards or not; a pixel stands for `step` voxels."""
    low, high = (length - side.stop, length - side.start) if back else (side.start, side.stop)
    return low // step, -(-high // step)
