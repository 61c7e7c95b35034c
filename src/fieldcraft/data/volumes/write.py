"""Masks and maps written in the format, geometry and orientation of the image that they belong to."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldcraft.data.cases import ClassTable, Source
from fieldcraft.data.volumes import dicom, itk, nifti, picture, tiff
from fieldcraft.data.volumes.files import stem_of, suffix_of
from fieldcraft.errors import DataError, RunError

Values = npt.NDArray[Any]
LOSSLESS = (".png", ".tif", ".tiff", ".bmp")


def mask_name(like: Source) -> str:
    """What the mask of an image is called: the image's own name, but .png for formats with losses.

    A page of a stack gets its number; a DICOM series becomes a folder.
    """
    name = like.path.name
    if like.format == "dicom":
        return like.path.stem if like.path.is_file() else name
    page = "" if like.page is None else f"_{like.page:04d}"
    suffix = suffix_of(name)
    if like.format == "picture" and suffix.lower() not in LOSSLESS:
        suffix = ".png"
    return f"{stem_of(name)}{page}{suffix}"


def write_mask(ids: npt.NDArray[np.integer[Any]], like: Source, path: Path, table: ClassTable) -> Path:
    """Class ids (*spatial) as the numbers (or colours) that training masks had, placed in space like the image.

    Written beside and renamed. Returns: the path. Raises: DataError when the shape is another; RunError when it cannot
    be written.
    """
    if ids.size and (ids.min() < 0 or ids.max() >= len(table.values)):
        raise DataError(f"class ids must lie in 0 .. {len(table.values) - 1}, but reach {ids.min()} .. {ids.max()}.")
    numbers = np.array(table.values, np.int64)[ids]
    if table.colours:
        shown = np.stack([numbers >> 16 & 255, numbers >> 8 & 255, numbers & 255], axis=-1).astype(np.uint8)
        _whole(path, lambda to: _coloured(shown, like, to))
        return path
    _whole(path, lambda to: _write(_narrow(numbers), like, to))
    return path


def write_map(values: Values, like: Source, path: Path) -> Path:
    """Numbers (*spatial), such as a probability or an uncertainty, as float32, placed in space like the image.

    A picture's map must be a .tif: nothing else holds floats. Raises: as `write_mask`.
    """
    if like.format == "picture" and suffix_of(path.name).lower() not in tiff.SUFFIXES:
        raise DataError(f"{path.name}: a map of a picture holds fractions, which .tif keeps: end its name in .tif.")
    if like.format == "dicom":
        raise DataError(f"{path.name}: a map of a DICOM series holds fractions, which slices do not: write its mask.")
    _whole(path, lambda to: _write(np.asarray(values, np.float32), like, to))
    return path


def _write(values: Values, like: Source, path: Path) -> None:
    match like.format:
        case "nifti":
            nifti.write(values, like.path, path)
        case "itk":
            itk.write(values, like.path, path)
        case "dicom":
            dicom.write(values, like.path, path)
        case "tiff-stack":
            tiff.write(values, path)
        case "picture":
            tiff.write(values, path) if values.dtype.kind == "f" else picture.write(values, path)


def _coloured(shown: Values, like: Source, path: Path) -> None:
    if like.format not in ("picture", "tiff-stack"):
        raise DataError(f"{path.name}: masks in colour can be written for pictures alone, not for {like.format} files.")
    if shown.ndim == 4:
        tiff.write_colours(shown, path)
    else:
        picture.write(shown, path)


def _narrow(numbers: npt.NDArray[np.int64]) -> Values:
    """In the smallest type that every format has."""
    low, high = (int(numbers.min()), int(numbers.max())) if numbers.size else (0, 0)
    for dtype in (np.uint8, np.int16, np.uint16):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return numbers.astype(dtype)
    return numbers.astype(np.int32)


def _whole(path: Path, write: Any) -> None:
    """Into a file (or folder) beside it, then renamed, so that a killed process leaves nothing half written."""
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(beside)
        if path.is_dir():
            shutil.rmtree(path)
        beside.replace(path)
    except (OSError, RuntimeError) as error:
        raise RunError(f"{path} cannot be written: {itk.short(error)}.") from error
    finally:
        with suppress(OSError):
            shutil.rmtree(beside) if beside.is_dir() else beside.unlink()
