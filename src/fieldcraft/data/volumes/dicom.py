"""DICOM: a folder with the slices of one series, or one file, through SimpleITK; axes are z, y, x."""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldcraft.data.volumes import itk
from fieldcraft.data.volumes.header import BadFile, Header, kept_type, placed, require_package
from fieldcraft.data.volumes.itk import affine, opened, values_of
from fieldcraft.data.volumes.kept_locale import kept_locale

SUFFIXES = (".dcm", ".ima")
UNEVEN = 0.02
"""Relative difference between gaps of slices that counts as none."""
KEPT = ("0010|0010", "0010|0020", "0010|0030", "0010|0040", "0020|000d", "0020|0010", "0020|0052", "0008|0020",
        "0008|0030", "0008|0050", "0008|0060", "0018|5100")  # fmt: skip
"""Tags of patient, study and frame of reference that a written series takes over."""
Values = npt.NDArray[Any]


@kept_locale()
def header(folder: Path) -> Header:
    """Shape, spacing and affine from the headers of all slices; as float32, since slopes may differ.

    Raises: BadFile for several series, slices of different sizes, or gaps that are not even.
    """
    if folder.is_file():
        return itk.header(folder)
    files = series(folder)
    readers = [opened(Path(file)) for file in files]
    first = readers[0]
    width, height = first.GetSize()[:2]
    if any(reader.GetSize()[:2] != (width, height) for reader in readers):
        raise BadFile("its slices have different sizes")
    step = _step([np.array(reader.GetOrigin()) for reader in readers])
    across = np.array(first.GetDirection()).reshape(3, 3)
    if len(files) > 1:
        across[:, 2] = step / np.linalg.norm(step)
    spacing = (*first.GetSpacing()[:2], float(np.linalg.norm(step)) if len(files) > 1 else first.GetSpacing()[2])
    deep = (len(files),) if len(files) > 1 else ()
    shape = (*deep, height, width)
    return Header(
        geometry=placed(shape, affine(spacing, first.GetOrigin(), across.ravel().tolist(), len(shape))),
        channels=first.GetNumberOfComponents(),
        dtype=kept_type(np.dtype(np.float32)),
    )


@kept_locale()
def read(folder: Path) -> Values:
    """(channels, z, y, x), rescaled as the slices say; (channels, y, x) of a single slice."""
    if folder.is_file():
        return itk.read(folder)
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(series(folder))
    return values_of(reader.Execute())


@kept_locale()
def series(folder: Path) -> tuple[str, ...]:
    """Files of a folder's only series, in order along the normal of the slices; a file is its own. Raises: BadFile."""
    require_package("SimpleITK", folder)
    if folder.is_file():
        return (str(folder),)
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    found = sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder))
    if not found:
        raise BadFile("the folder holds no DICOM series that can be read")
    if len(found) > 1:
        raise BadFile(f"the folder holds {len(found)} DICOM series: give each a folder of its own")
    return tuple(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), found[0]))


@kept_locale()
def write(values: Values, like: Path, folder: Path) -> None:
    """A derived series of 16-bit slices with the places, patient and study of another. Shape: (z, y, x) or (y, x)."""
    import SimpleITK as sitk

    files = series(like)
    planes = values.reshape(-1, *values.shape[-2:])
    if len(planes) != len(files):
        raise BadFile(f"it must have {len(files)} slices like {like.name}, but has {len(planes)}")
    folder.mkdir(parents=True, exist_ok=True)
    own = (
        f"2.25.{int.from_bytes(blake2b(values.tobytes(), digest_size=16).digest())}"  # an UID without a registered root
    )
    for place, (file, plane) in enumerate(zip(files, planes, strict=True)):
        model = opened(Path(file))
        image: Any = sitk.GetImageFromArray(np.ascontiguousarray(plane[None], np.int16))
        image.SetSpacing(model.GetSpacing())
        image.SetOrigin(model.GetOrigin())
        image.SetDirection(model.GetDirection())
        for tag in KEPT:
            if model.HasMetaDataKey(tag):
                image.SetMetaData(tag, model.GetMetaData(tag))
        told = {
            "0008|0008": "DERIVED\\SECONDARY", "0008|103e": "mask by fieldcraft", "0020|000e": own,
            "0020|0013": str(place + 1), "0020|0032": "\\".join(f"{number:.9g}" for number in model.GetOrigin()),
            "0020|0037": _cosines(model.GetDirection()),
        }  # fmt: skip
        for tag, text in told.items():
            image.SetMetaData(tag, text)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{place:05d}.dcm"))
        writer.Execute(image)


def _cosines(direction: Sequence[float]) -> str:
    """Of rows and columns, as the tag of the orientation has them: the first two columns of the matrix."""
    matrix = np.array(direction).reshape(3, 3)
    return "\\".join(f"{number:.9g}" for number in (*matrix[:, 0], *matrix[:, 1]))


def _step(origins: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """From one slice to the next, in millimetres. Raises: BadFile when that is not the same everywhere."""
    if len(origins) == 1:
        return np.zeros(3)
    steps = np.diff(np.stack(origins), axis=0)
    gaps = np.linalg.norm(steps, axis=1)
    if gaps.min() <= 0 or gaps.max() / gaps.min() > 1 + UNEVEN:
        raise BadFile(
            f"its slices lie {gaps.min():.3g} to {gaps.max():.3g} mm apart: one is missing, or it is several series"
        )
    step: npt.NDArray[np.float64] = (origins[-1] - origins[0]) / (len(origins) - 1)
    return step
