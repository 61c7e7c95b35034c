"""NRRD, MetaImage and other files of ITK, through SimpleITK; axes are z, y, x as its arrays have them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldcraft.data.volumes.header import BadFile, Header, kept_type, placed, require_package, too_many_axes
from fieldcraft.data.volumes.kept_locale import kept_locale

SUFFIXES = (".nrrd", ".nhdr", ".mha", ".mhd")
Values = npt.NDArray[Any]
TO_RAS = np.diag([-1.0, -1.0, 1.0])
"""ITK points left and posterior, where nibabel points right and anterior."""


@kept_locale()
def header(path: Path) -> Header:
    """Shape, spacing, affine, channels and type. Raises: BadFile; RuntimeError from ITK."""
    reader = opened(path)
    size = reader.GetSize()
    spatial = _spatial(size)
    return Header(
        geometry=placed(
            size[:spatial][::-1],
            affine(reader.GetSpacing(), reader.GetOrigin(), reader.GetDirection(), spatial),
        ),
        channels=reader.GetNumberOfComponents(),
        dtype=kept_type(_type(reader.GetPixelID())),
    )


@kept_locale()
def read(path: Path) -> Values:
    """(channels, z, y, x) or (channels, y, x)."""
    reader = opened(path)
    return values_of(reader.Execute())


@kept_locale()
def write(values: Values, like: Path, path: Path) -> None:
    """One number a voxel as a compressed file with the geometry of another. Raises: BadFile when the shapes differ."""
    import SimpleITK as sitk

    model = opened(like)
    size = model.GetSize()
    shape = size[::-1]
    if values.size != int(np.prod(size, dtype=np.int64)):
        raise BadFile(f"it must have the shape of {like.name}, {shape}, but has {values.shape}")
    image = sitk.GetImageFromArray(np.ascontiguousarray(values.reshape(shape)))
    image.SetSpacing(model.GetSpacing())
    image.SetOrigin(model.GetOrigin())
    image.SetDirection(model.GetDirection())
    sitk.WriteImage(image, str(path), useCompression=True)


def values_of(image: Any) -> Values:
    """An image of ITK as (channels, *spatial); axes of length 1 at the slow end are left away, down to two."""
    import SimpleITK as sitk

    values: Values = sitk.GetArrayFromImage(image)
    planes = np.moveaxis(values, -1, 0) if image.GetNumberOfComponentsPerPixel() > 1 else values[None]
    spatial = _spatial(image.GetSize())
    return planes.reshape(len(planes), *planes.shape[planes.ndim - spatial :])


def affine(
    spacing: Sequence[float], origin: Sequence[float], direction: Sequence[float], spatial: int
) -> npt.NDArray[np.float64]:
    """From places (z, y, x) to millimetres towards right, anterior, superior."""
    whole = len(spacing)
    axes = np.eye(3)
    axes[:whole, :whole] = np.array(direction).reshape(whole, whole)[:3, :3]
    sizes = np.ones(3)
    sizes[:whole] = spacing[:3]
    start = np.zeros(3)
    start[:whole] = origin[:3]
    columns = TO_RAS @ axes @ np.diag(sizes)
    order = [*reversed(range(spatial)), *range(spatial, 3)]
    found = np.eye(4)
    found[:3, :3] = columns[:, order]
    found[:3, 3] = TO_RAS @ start
    return found


def opened(path: Path) -> Any:
    """A reader that knows the header. Raises: MissingExtraError; BadFile for a spacing that ITK refuses."""
    require_package("SimpleITK", path)
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        said = short(error)
        raise BadFile(said, "bad-spacing" if "spacing" in said.lower() else "unreadable") from error
    return reader


def short(error: Exception) -> str:
    """The last line of an exception of ITK, which says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rpartition("): ")[2] if lines else type(error).__name__


def _spatial(size: Sequence[int]) -> int:
    kept = list(size)
    while len(kept) > 2 and kept[-1] == 1:
        kept.pop()
    if len(kept) > 3:
        raise too_many_axes(size)
    return len(kept)


def _type(pixel: int) -> np.dtype[np.generic]:
    import SimpleITK as sitk

    small = {
        sitk.sitkUInt8: np.uint8, sitk.sitkInt8: np.int8, sitk.sitkUInt16: np.uint16, sitk.sitkInt16: np.int16,
        sitk.sitkVectorUInt8: np.uint8, sitk.sitkVectorInt16: np.int16, sitk.sitkVectorUInt16: np.uint16,
    }  # fmt: skip
    return np.dtype(small.get(pixel, np.float32))
