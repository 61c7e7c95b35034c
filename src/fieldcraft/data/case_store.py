"""All cases mapped into memory: whole, or a patch at a time, however large a case is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.data.cases import VOID, Ids

Pixels = npt.NDArray[np.float32]
Stored = npt.NDArray[np.generic]


@dataclass(frozen=True, kw_only=True, eq=False)
class CaseStore:
    """Images and masks by row of the data set, in memory or mapped.

    `images`: (channels, *spatial) each, in the type of the file; `masks`: (*spatial) each, class ids, VOID where there
    is no label; None for a case without a mask.
    """

    images: tuple[Stored, ...]
    masks: tuple[Stored | None, ...]

    def __len__(self) -> int:
        return len(self.images)

    def shape(self, row: int) -> tuple[int, ...]:
        """Spatial axes of a case."""
        return self.images[row].shape[1:]

    def image(self, row: int) -> Pixels:
        """(channels, *spatial), float32, in stored units."""
        return np.asarray(self.images[row], np.float32)

    def mask(self, row: int) -> Ids:
        """(*spatial), class ids. Raises: ValueError for a case without a mask."""
        return np.asarray(self._mask(row), np.int16)

    def patch(self, row: int, start: Sequence[int], size: Sequence[int]) -> tuple[Pixels, Ids]:
        """A box of a case and its mask; only its own bytes are read.

        `start` may be negative and the box may reach beyond the case: there the image repeats its edge, and the mask
        is VOID. Shape: (channels, *size), (*size). Raises: ValueError for a case without a mask, or a box that does not
        touch the case.
        """
        mask = self._mask(row)
        inside, beyond = _inside(mask.shape, start, size)
        image = np.asarray(self.images[row][:, *inside], np.float32)
        ids = np.asarray(mask[inside], np.int16)
        if not any(low or high for low, high in beyond):
            return image, ids
        padded: Ids = np.pad(ids, beyond, constant_values=VOID)
        return np.pad(image, ((0, 0), *beyond), mode="edge"), padded

    def image_patch(self, row: int, start: Sequence[int], size: Sequence[int]) -> Pixels:
        """The image part of `patch`, for a case with or without a mask."""
        inside, beyond = _inside(self.shape(row), start, size)
        image = np.asarray(self.images[row][:, *inside], np.float32)
        return np.pad(image, ((0, 0), *beyond), mode="edge") if any(map(any, beyond)) else image

    def _mask(self, row: int) -> Stored:
        mask = self.masks[row]
        if mask is None:
            raise ValueError(f"case {row} has no mask.")
        return mask


def _inside(
    shape: Sequence[int], start: Sequence[int], size: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[tuple[int, int], ...]]:
    """The part of a box that lies in an array of this shape, and by how much it reaches beyond, axis by axis."""
    inside, beyond = [], []
    for whole, first, many in zip(shape, start, size, strict=True):
        low, high = max(first, 0), min(first + many, whole)
        if low >= high:
            raise ValueError(f"the box from {tuple(start)} of {tuple(size)} does not touch a case of {tuple(shape)}.")
        inside.append(slice(low, high))
        beyond.append((low - first, first + many - high))
    return tuple(inside), tuple(beyond)
