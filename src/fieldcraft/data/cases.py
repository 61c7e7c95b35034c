"""Images with masks: where a case lies, how it lies in space, and how numbers in mask files become classes.

Nothing here is read: `data.volumes` reads a case, `data.case_store` keeps all of them mapped into memory.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from fieldcraft.records.segmentation import Unit

Format = Literal["picture", "tiff-stack", "nifti", "itk", "dicom"]
Spatial = Literal[1, 2, 3]
Ids = npt.NDArray[np.int16]

VOID = -1
"""Class id of voxels that carry no label: no loss and no measure looks at them."""
UNKNOWN = -2
"""Of voxels whose number names no class; the audit finds them, and reading a mask for training refuses them."""
NOWHERE = -(2**62)
"""A number that no class has."""
UNSEEN = 2
"""In `Targets.values`: the mask was not looked at (sets too large to read every mask first)."""


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """How an array lies in space. All entries are in the order of the array's spatial axes."""

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    """Between the centres of neighbouring voxels, in `unit`."""
    unit: Unit = "px"
    affine: tuple[tuple[float, ...], ...] | None = None
    """From voxels to millimetres towards right, anterior, superior (as nibabel has it), 4 x 4; None: not known."""
    orientation: str = ""
    """Where the axes point, such as RAS; empty: not known."""

    @property
    def voxels(self) -> int:
        """How many there are."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where an array lies on disk."""

    path: Path
    """A file, or the folder of a DICOM series."""
    format: Format
    page: int | None = None
    """Of a stack: this page alone, counted from 0."""


def files_of(source: Source) -> tuple[Path, ...]:
    """The files that hold it: one, or all of a folder's."""
    if source.format != "dicom" or source.path.is_file():
        return (source.path,)
    return tuple(sorted(path for path in source.path.iterdir() if path.is_file() and not path.name.startswith(".")))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One image with its mask."""

    name: str
    images: tuple[Source, ...]
    """Their channels follow each other; one file may hold several."""
    mask: Source | None
    """None: an image to be predicted."""
    geometry: Geometry
    """Of the image."""
    mask_geometry: Geometry | None
    channels: int
    dtype: str
    """NumPy's name of the type that holds the image as stored: uint8, int8, uint16, int16 or float32."""


@dataclass(frozen=True, kw_only=True)
class ClassTable:
    """How numbers (or colours, as 0xRRGGBB) in mask files become class ids."""

    names: tuple[str, ...]
    """In the order of class ids; the first is the background."""
    values: tuple[int, ...]
    """The number or colour of each class in the files."""
    void: tuple[int, ...] = ()
    """Numbers or colours that mean: no label."""
    colours: bool = False
    """Whether masks are colour pictures."""

    def ids(self, raw: npt.NDArray[np.generic]) -> Ids:
        """Class ids (*spatial) of what a mask file holds; VOID and UNKNOWN where there is none.

        Shape: (*spatial), whole numbers (floats count where they are whole; colours as 0xRRGGBB).
        """
        if raw.dtype.kind == "f":
            numbers = np.where(np.isfinite(raw), raw, NOWHERE).astype(np.int64)
            numbers[numbers != raw] = NOWHERE
            return self._looked_up(numbers)
        if raw.dtype.itemsize > 2:
            return self._looked_up(raw.astype(np.int64))
        # Of small types all numbers there are fit a table, which is many times as quick as a search.
        unsigned = np.dtype(f"u{raw.dtype.itemsize}")
        every = np.arange(2 ** (8 * raw.dtype.itemsize)).astype(unsigned).view(raw.dtype)
        found: Ids = self._looked_up(every.astype(np.int64))[raw.view(unsigned)]
        return found

    def _looked_up(self, numbers: npt.NDArray[np.int64]) -> Ids:
        known = np.array([*self.values, *self.void], np.int64)
        ids = np.array([*range(len(self.values)), *(VOID for _ in self.void)], np.int16)
        order = np.argsort(known)
        place = np.searchsorted(known, numbers, sorter=order).clip(max=len(known) - 1)
        found: Ids = np.where(known[order][place] == numbers, ids[order][place], np.int16(UNKNOWN))
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Cases:
    """Images with masks, of any size but one number of axes and of channels."""

    cases: tuple[Case, ...]
    table: ClassTable
    spatial: Spatial
    channels: int
    channel_names: tuple[str, ...] = ()
    """Where the source names them (CT, T1, ...)."""
    within_volume: bool = False
    """Whether the parts are blocks of slices of one volume."""

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def classes(self) -> int:
        """How many, the background counted."""
        return len(self.table.names)
