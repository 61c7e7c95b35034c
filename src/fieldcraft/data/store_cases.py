"""Cases read once into a file that is mapped into memory, so that patches of any case cost only their own bytes."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fieldcraft.data.case_pixels import mask_pieces, pieces
from fieldcraft.data.case_store import CaseStore
from fieldcraft.data.cases import Case, Cases, files_of
from fieldcraft.data.digest import file_hashes
from fieldcraft.data.images import Unreadable
from fieldcraft.errors import DataError, RunError
from fieldcraft.records.versions import CURRENT

PIECE = 16 * 2**20
"""Values read at once on the way to the file."""
ALIGNED = 64
MIB = 2**20
Place = tuple[int, tuple[int, ...], np.dtype[Any]]
"""Where an array begins in the file, its shape and type."""


def stored(inputs: Cases, cache: Path) -> CaseStore:
    """All cases in one file under `cache`, written now unless it is there, and mapped for reading.

    Raises: DataError naming the case that cannot be read; RunError when the file cannot be written.
    """
    return mapped(inputs, written(inputs, cache))


def written(inputs: Cases, cache: Path) -> Path:
    """The file under `cache` with all cases, written now unless it is there.

    The file is named by the contents of the cases and their classes (by sizes and times of change above 2 GiB), holds
    images in the type of their files and masks as class ids, and is written whole and renamed. Reading needs memory for
    a piece of a case at a time where its format allows it (NIfTI, stacks of TIFF).
    Raises: DataError naming the case that cannot be read; RunError when the file cannot be written.
    """
    images, masks, size = _layout(inputs)
    path = cache / f"cases-{_key(inputs)}.bin"
    if not path.exists() or path.stat().st_size != size:
        _write(path, inputs, images, masks, size)
    return path


def mapped(inputs: Cases, path: Path) -> CaseStore:
    """The cases of a file that was written for them; nothing is read before it is asked for."""
    images, masks, size = _layout(inputs)
    whole = np.memmap(path, np.uint8, "r", shape=(size,))
    return CaseStore(
        images=tuple(_at(whole, place) for place in images),
        masks=tuple(None if place is None else _at(whole, place) for place in masks),
    )


def _layout(inputs: Cases) -> tuple[list[Place], list[Place | None], int]:
    """Where each image and mask lies, and the size of the file."""
    at = 0
    images: list[Place] = []
    masks: list[Place | None] = []
    ids = np.dtype(np.int8 if inputs.classes <= 127 else np.int16)

    def take(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Place:
        nonlocal at
        place = (at, shape, dtype)
        at += -(-int(np.prod(shape, dtype=np.int64)) * dtype.itemsize // ALIGNED) * ALIGNED
        return place

    for case in inputs.cases:
        images.append(take((inputs.channels, *case.geometry.shape), np.dtype(case.dtype)))
        masks.append(None if case.mask is None else take(case.geometry.shape, ids))
    return images, masks, max(at, ALIGNED)


def _write(path: Path, inputs: Cases, images: list[Place], masks: Sequence[Place | None], size: int) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            # Room is taken first: a full disk is then an error here, and no signal while the map is written to.
            os.posix_fallocate(file.fileno(), 0, size)
        whole = np.memmap(beside, np.uint8, "r+", shape=(size,))
        for case, image, mask in zip(inputs.cases, images, masks, strict=True):
            for box, values in _named(case, pieces(case, inputs.channels, PIECE)):
                _at(whole, image)[box] = values
            if mask is not None and case.mask is not None:
                for box, values in _named(case, mask_pieces(case.mask, inputs.table, PIECE)):
                    _at(whole, mask)[box] = values
        whole.flush()
        del whole
        beside.replace(path)
    except OSError as error:
        raise RunError(
            f"cannot write the cases ({size // MIB:,} MiB) to {path}: {error.strerror or error}. Free some space, or "
            "choose another place for the run with --out."
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink()


def _named(
    case: Case, found: Iterator[tuple[tuple[slice, ...], npt.NDArray[Any]]]
) -> Iterator[tuple[tuple[slice, ...], npt.NDArray[Any]]]:
    """The pieces. Raises: DataError naming the case when one cannot be read."""
    try:
        yield from found
    except Unreadable as error:
        raise DataError(
            f"{case.name}: {error}. Repair it, or move it out of the data; `fieldcraft audit` lists every such case."
        ) from error


def _at(whole: npt.NDArray[np.uint8], place: Place) -> npt.NDArray[Any]:
    first, shape, dtype = place
    many = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    return whole[first : first + many].view(dtype).reshape(shape)


def _key(inputs: Cases) -> str:
    found = blake2b(digest_size=12)
    sources = [source for case in inputs.cases for source in (*case.images, *((case.mask,) if case.mask else ()))]
    found.update(f"{CURRENT['case-cache']} {inputs.channels} {inputs.table!r}".encode())
    found.update(repr([(case.geometry.shape, case.dtype) for case in inputs.cases]).encode())
    found.update(repr([source.page for source in sources]).encode())
    for one in file_hashes(tuple(path for source in sources for path in files_of(source))):
        found.update(one)
    return found.hexdigest()
