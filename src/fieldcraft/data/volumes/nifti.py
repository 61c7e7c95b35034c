"""NIfTI: .nii and .nii.gz through nibabel; axes stay in the order of the file (usually x, y, z)."""

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldcraft.data.volumes.header import (
    BadFile,
    Header,
    kept_type,
    placed,
    require_package,
    require_spacing,
    too_many_axes,
)

SUFFIXES = (".nii", ".nii.gz")
TO_MM = {"meter": 1000.0, "micron": 0.001}
Values = npt.NDArray[Any]


def header(path: Path) -> Header:
    """Shape, spacing, affine, channels (a fourth axis) and type. Raises: BadFile; whatever nibabel raises."""
    require_package("nibabel", path)
    require_spacing(_pixdim(path))
    found = _open(path)
    shape = _axes(found.shape)
    spatial, channels = shape[:3], shape[3] if len(shape) == 4 else 1
    return Header(
        geometry=placed(spatial, _affine(found)),
        channels=channels,
        dtype=kept_type(found.get_data_dtype()) if not _scaled(found) else "float32",
    )


def read(path: Path) -> Values:
    """(channels, *spatial), in the type of the file, scaled where its header says so."""
    found = _open(path)
    values = np.asanyarray(found.dataobj).reshape(_axes(found.shape))
    return np.moveaxis(values, 3, 0) if values.ndim == 4 else values[None]


def slabs(path: Path, most: int) -> Iterator[tuple[int, Values]]:
    """The image piece by piece along its last spatial axis: (first place, (channels, *spatial)).

    `most`: values a piece, about.
    """
    import nibabel

    found: Any = nibabel.load(path, keep_file_open=True)
    shape = _axes(found.shape)
    if len(shape) != 3 or found.ndim != 3:
        yield 0, read(path)
        return
    deep = max(1, int(most // (shape[0] * shape[1])))
    for first in range(0, shape[2], deep):
        yield first, np.asanyarray(found.dataobj[..., first : first + deep])[None]


def write(values: Values, like: Path, path: Path) -> None:
    """One number a voxel (*spatial) as a file with the geometry of another; axes of length 1 come back.

    Raises: BadFile when the shapes differ.
    """
    import nibabel

    model = _open(like)
    shape = model.shape[: max(3, values.ndim)]
    if int(np.prod(shape, dtype=np.int64)) != values.size or values.shape != shape[: values.ndim]:
        raise BadFile(f"it must have the shape of {like.name}, {shape}, but has {values.shape}")
    head = model.header.copy()
    head.set_data_dtype(values.dtype)
    head["scl_slope"], head["scl_inter"], head["cal_min"], head["cal_max"] = 1.0, 0.0, 0.0, 0.0
    kind: Any = type(model)
    nibabel.save(kind(values.reshape(shape), None, head), path)


def _open(path: Path) -> Any:
    require_package("nibabel", path)
    import nibabel
    from nibabel.filebasedimages import ImageFileError

    try:
        found: Any = nibabel.load(path)
    except ImageFileError as error:
        raise BadFile("it is no NIfTI file, or its header is cut short: copy or fetch it again") from error
    if (parts := found.get_data_dtype().names) is not None:
        raise BadFile(
            f"its voxels are colours ({', '.join(parts)}): save masks as class numbers, and channels of images along a "
            "fourth axis"
        )
    return found


def _pixdim(path: Path) -> list[float]:
    """Spacing of axes longer than 1, as written: nibabel would set zeros to 1. None of it for files of other kinds."""
    with (gzip.open if path.name.lower().endswith(".gz") else open)(path, "rb") as file:
        head = file.read(540)
    for order in "<>":
        if len(head) >= 348 and struct.unpack(f"{order}i", head[:4])[0] == 348:
            sides, sizes = struct.unpack(f"{order}8h", head[40:56]), struct.unpack(f"{order}8f", head[76:108])
        elif len(head) == 540 and struct.unpack(f"{order}i", head[:4])[0] == 540:
            sides, sizes = struct.unpack(f"{order}8q", head[16:80]), struct.unpack(f"{order}8d", head[104:168])
        else:
            continue
        return [abs(size) for side, size in zip(sides[1:4], sizes[1:4], strict=True) if side > 1]
    return []


def _axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Without axes of length 1 at the end, but two at least. Raises: BadFile for more than four."""
    kept = shape
    while len(kept) > 2 and kept[-1] == 1:
        kept = kept[:-1]
    if len(kept) > 4 or len(kept) < 2:
        raise too_many_axes(shape)
    return tuple(int(side) for side in kept)


def _affine(found: Any) -> npt.NDArray[np.float64]:
    factor = TO_MM.get(found.header.get_xyzt_units()[0], 1.0)
    affine: npt.NDArray[np.float64] = np.array(found.affine, np.float64)
    affine[:3] *= factor
    return affine


def _scaled(found: Any) -> bool:
    """Whether stored numbers are multiplied or shifted; nibabel takes that out of the header when it loads a file."""
    return bool(found.dataobj.slope != 1 or found.dataobj.inter != 0)
