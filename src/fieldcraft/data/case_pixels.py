"""Values of one case as training and prediction want them: an image as float32, a mask as class ids."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldcraft.data.cases import UNKNOWN, Case, ClassTable, Ids, Source
from fieldcraft.data.image_arrays import with_channels
from fieldcraft.data.near import listed
from fieldcraft.data.volumes.files import image_slabs, read_image, read_mask
from fieldcraft.data.volumes.header import BadFile

Values = npt.NDArray[Any]


def image_of(case: Case, channels: int) -> npt.NDArray[np.float32]:
    """(channels, *spatial), float32, in stored units; gray pictures among coloured ones are repeated.

    Raises: Unreadable, or BadFile when the channels cannot be made as many.
    """
    return np.concatenate([_fitting(read_image(one), case, channels) for one in case.images]).astype(np.float32)


def mask_of(case: Case, table: ClassTable) -> Ids:
    """(*spatial), class ids, VOID where there is no label.

    Raises: Unreadable; BadFile for numbers that are no class; ValueError for a case without a mask.
    """
    if case.mask is None:
        raise ValueError(f"{case.name} has no mask.")
    values, coloured = read_mask(case.mask)
    return require_known(table.ids(as_told(values, coloured, table)), values)


def pieces(case: Case, channels: int, most: int) -> Iterator[tuple[tuple[slice, ...], Values]]:
    """The image piece by piece, as stored: where it goes in (channels, *spatial), and what.

    `most`: values a piece, about. Raises: as `image_of`.
    """
    first = 0
    for source in case.images:
        wide = 0
        for axis, start, found in image_slabs(source, most):
            values = _fitting(found, case, channels)
            wide = len(values)
            box = [slice(first, first + wide), *(slice(None) for _ in case.geometry.shape)]
            box[1 + axis] = slice(start, start + values.shape[1 + axis])
            yield tuple(box), values
        first += wide


def mask_pieces(source: Source, table: ClassTable, most: int) -> Iterator[tuple[tuple[slice, ...], Ids]]:
    """The mask piece by piece: where it goes in (*spatial), and its class ids. Raises: as `mask_of`."""
    if source.format != "nifti" or table.colours:
        values, coloured = read_mask(source)
        ids = require_known(table.ids(as_told(values, coloured, table)), values)
        yield tuple(slice(None) for _ in ids.shape), ids
        return
    for axis, start, found in image_slabs(source, most):
        values = found[0]
        box = [slice(None)] * values.ndim
        box[axis] = slice(start, start + values.shape[axis])
        yield tuple(box), require_known(table.ids(values), values)


def as_told(values: Values, coloured: bool, table: ClassTable) -> Values:
    """Numbers of a gray picture as colours, where the classes are colours."""
    return values.astype(np.int64) * 0x010101 if table.colours and not coloured else values


def require_known(ids: Ids, values: Values) -> Ids:
    """The ids. Raises: BadFile naming the numbers that are no class."""
    odd = ids == UNKNOWN
    if odd.any():
        numbers = np.unique(values[odd])
        shown = listed([f"{number:g}" for number in numbers], 8)
        raise BadFile(f"the mask holds numbers of no class: {shown}, in {int(odd.sum()):,} voxels", "unknown-label")
    return ids


def _fitting(values: Values, case: Case, channels: int) -> Values:
    """With the channels of the set, for pictures that have others."""
    if len(case.images) > 1 or len(values) == channels:
        return values
    try:
        return np.moveaxis(with_channels(np.moveaxis(values, 0, -1), channels), -1, 0)
    except ValueError as error:
        raise BadFile(str(error), "mixed-channels") from error
