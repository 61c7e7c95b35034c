"""Any file of an image or a mask: which format it has, its header, its values; one kind of error for all of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from fieldcraft.data import images
from fieldcraft.data.cases import Format, Source
from fieldcraft.data.volumes import dicom, itk, nifti, picture, tiff
from fieldcraft.data.volumes.header import BadFile, Header, too_many_axes
from fieldcraft.errors import FieldcraftError

Values = npt.NDArray[Any]
R = TypeVar("R")


def suffix_of(name: str) -> str:
    """The part of a file's name that says its format (.nii.gz, .png, ...), as it is written; empty for others."""
    lower = name.lower()
    every = (*nifti.SUFFIXES, *itk.SUFFIXES, *dicom.SUFFIXES, *picture.SUFFIXES)
    found = max((one for one in every if lower.endswith(one)), key=len, default="")
    return name[len(name) - len(found) :] if found else ""


def stem_of(name: str) -> str:
    """A file's name without that part."""
    suffix = suffix_of(name)
    return name[: len(name) - len(suffix)] if suffix else name


def format_of(path: Path) -> Format | None:
    """By name alone, but for TIFF, whose pages are counted, and folders, which are DICOM series."""
    suffix = suffix_of(path.name).lower()
    if suffix in nifti.SUFFIXES:
        return "nifti"
    if suffix in itk.SUFFIXES:
        return "itk"
    if suffix in dicom.SUFFIXES or path.is_dir():
        return "dicom"
    if suffix in tiff.SUFFIXES:
        try:
            return "tiff-stack" if tiff.pages(path) > 1 else "picture"
        except Exception:  # a damaged one is named when it is read
            return "picture"
    return "picture" if suffix in picture.SUFFIXES else None


def read_header(source: Source) -> Header:
    """Geometry, channels and type of an image. Raises: Unreadable (BadFile) saying why."""
    return _told(source.path, lambda: _header(source))


def read_image(source: Source) -> Values:
    """(channels, *spatial) in the type of the file. Raises: Unreadable."""
    return _told(source.path, lambda: _image(source))


def read_mask(source: Source) -> tuple[Values, bool]:
    """(*spatial) of numbers, and whether they are colours (0xRRGGBB).

    Raises: Unreadable; BadFile for masks with several channels, or saved with losses.
    """

    def work() -> tuple[Values, bool]:
        if source.format == "picture":
            return picture.read_mask(source.path)
        values = _image(source)
        if len(values) == 3 and source.format == "tiff-stack":
            colours = values.astype(np.int32)
            return (colours[0] << 16) + (colours[1] << 8) + colours[2], True
        if len(values) != 1:
            raise too_many_axes((*values.shape[1:], len(values)))
        return values[0], False

    return _told(source.path, work)


def image_slabs(source: Source, most: int) -> Iterator[tuple[int, int, Values]]:
    """An image piece by piece, so that it need not fit into memory: (spatial axis, first place, (channels, *spatial)).

    `most`: values a piece, about; formats that cannot be read in pieces come as one. Raises: Unreadable.
    """
    try:
        match source.format:
            case "nifti":
                for first, values in nifti.slabs(source.path, most):
                    yield values.ndim - 2, first, values
            case "tiff-stack" if source.page is None:
                for first, values in tiff.slabs(source.path, most):
                    yield 0, first, values
            case _:
                yield 0, 0, _image(source)
    except (FieldcraftError, images.Unreadable):
        raise
    except Exception as error:  # see `_told`
        raise images.Unreadable(_reason(source.path, error)) from error


def _header(source: Source) -> Header:
    match source.format:
        case "nifti":
            return nifti.header(source.path)
        case "itk":
            return itk.header(source.path)
        case "dicom":
            return dicom.header(source.path)
        case "tiff-stack":
            return _of_page(tiff.header(source.path)) if source.page is not None else tiff.header(source.path)
        case "picture":
            return picture.header(source.path)


def _of_page(stack: Header) -> Header:
    whole = stack.geometry
    geometry = type(whole)(shape=whole.shape[1:], spacing=whole.spacing[1:], unit=whole.unit)
    return Header(geometry=geometry, channels=stack.channels, dtype=stack.dtype)


def _image(source: Source) -> Values:
    match source.format:
        case "nifti":
            return nifti.read(source.path)
        case "itk":
            return itk.read(source.path)
        case "dicom":
            return dicom.read(source.path)
        case "tiff-stack":
            return tiff.read(source.path) if source.page is None else tiff.read_page(source.path, source.page)
        case "picture":
            return picture.read(source.path)


def _told(path: Path, work: Callable[[], R]) -> R:
    if path.is_file() and path.stat().st_size == 0:
        raise BadFile("the file is empty")
    try:
        return work()
    except (FieldcraftError, images.Unreadable):
        raise
    except Exception as error:  # nibabel, ITK and Pillow raise almost anything on damaged files
        raise images.Unreadable(_reason(path, error)) from error


def _reason(path: Path, error: Exception) -> str:
    if not path.exists():
        return "there is no such file"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    said = itk.short(error)
    if isinstance(error, EOFError) or "unexpected end" in said.lower() or "ended before" in said.lower():
        return f"the file is cut short ({said}): copy or fetch it again"
    return f"damaged: {said}"


__all__ = [
    "BadFile",
    "Header",
    "format_of",
    "image_slabs",
    "read_header",
    "read_image",
    "read_mask",
    "stem_of",
    "suffix_of",
]
