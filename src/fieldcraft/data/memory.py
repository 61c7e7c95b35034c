"""Images at one size: in memory when they fit, else decoded once into a file that is mapped into memory."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

from fieldcraft.data.checks import require_readable
from fieldcraft.data.dataset import Dataset, ImageArray, ImageFiles, Problem
from fieldcraft.data.image_arrays import DTYPES, depth_of, resized
from fieldcraft.data.images import Unreadable, in_threads, load_image
from fieldcraft.errors import DataError, RunError
from fieldcraft.records.versions import CURRENT

SHARE_OF_FREE = 0.25
"""Of the free memory, what images may take."""
CHUNK_MIB = 64
"""Decoded at once on the way to a file."""
MIB = 2**20

Pixels = npt.NDArray[np.generic]
Decode = Callable[[Sequence[int]], Pixels]
"""Places of samples -> (n, height, width, channels)."""


def decode(
    dataset: Dataset, *, height: int, width: int, cache: Path, room_mib: float | None = None, cover: bool = False
) -> ImageArray:
    """All images at (height, width), bilinear and antialiased.

    Files are not kept in proportion, or with `cover` they are, and what lies beyond the size is cut off.
    In memory when they fit `room_mib` (default: a quarter of the free memory); else in a file under `cache`, named by
    paths, sizes, times of change and the target size, written whole, renamed, and used again by the next run.
    Images that are in memory at that size already come back unchanged.
    Raises: DataError naming every file that cannot be read; RunError when the cache cannot be written.
    """
    require_readable(dataset)
    inputs = dataset.inputs
    if isinstance(inputs, ImageFiles):
        shape = (len(inputs.paths), height, width, inputs.channels)
        bits, work = inputs.depth_bits, _from_files(dataset, inputs, height, width, cover)
    elif isinstance(inputs, ImageArray):
        if inputs.pixels.shape[1:3] == (height, width):
            return inputs
        shape = (len(inputs.pixels), height, width, inputs.pixels.shape[3])
        bits, work = depth_of(inputs.pixels), _from_array(inputs.pixels, height, width)
    else:
        raise DataError(f"{dataset.name} is a table, not images: it is encoded, not decoded.")
    size_mib = int(np.prod(shape, dtype=np.int64)) * bits // 8 / MIB
    if size_mib <= (free_room_mib() if room_mib is None else room_mib):
        return ImageArray(pixels=work(range(shape[0])))
    name = f"images-{_key(inputs, height, width)}{'-cover' if cover else ''}.npy"
    return ImageArray(pixels=_mapped(cache / name, shape, DTYPES[bits], work))


def free_room_mib() -> float:
    """What images may take in memory by default: a quarter of what is free."""
    return float(SHARE_OF_FREE * psutil.virtual_memory().available / MIB)


def _from_files(dataset: Dataset, files: ImageFiles, height: int, width: int, cover: bool) -> Decode:
    def work(places: Sequence[int]) -> Pixels:
        out = np.empty((len(places), height, width, files.channels), DTYPES[files.depth_bits])

        def one(row: int) -> str | None:
            path = files.paths[places[row]]
            try:
                out[row] = load_image(
                    path, height=height, width=width, channels=files.channels, depth_bits=files.depth_bits, cover=cover
                )
            except Unreadable as error:
                return str(error)
            return None

        reasons = in_threads(one, range(len(places)))
        if any(reasons):
            raise _Broken(
                [
                    Problem(sample=dataset.ids[place], reason=why)
                    for place, why in zip(places, reasons, strict=True)
                    if why
                ]
            )
        return out

    def naming(places: Sequence[int]) -> Pixels:
        try:
            return work(places)
        except _Broken as broken:
            rest = range(places[-1] + 1, len(files.paths))
            more = _broken_among(work, [rest[at : at + 1024] for at in range(0, len(rest), 1024)])
            _refuse(dataset, [*broken.problems, *more])
            raise AssertionError("problems always refuse") from broken

    return naming


class _Broken(Exception):
    """Files that turned out damaged while their pixels were decoded."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__()
        self.problems = problems


def _broken_among(work: Decode, pieces: Sequence[Sequence[int]]) -> list[Problem]:
    """Every further damaged file, so that one message names them all."""

    def tried(piece: Sequence[int]) -> list[Problem]:
        try:
            work(piece)
        except _Broken as broken:
            return broken.problems
        return []

    return list(chain.from_iterable(map(tried, pieces)))


def _refuse(dataset: Dataset, problems: Sequence[Problem]) -> None:
    require_readable(replace(dataset, problems=tuple(problems)))


def _from_array(pixels: Pixels, height: int, width: int) -> Decode:
    def work(places: Sequence[int]) -> Pixels:
        return np.stack(in_threads(lambda place: resized(pixels[place], height, width), places))

    return work


def _mapped(path: Path, shape: tuple[int, ...], dtype: type[np.generic], work: Decode) -> Pixels:
    """The file with all images, written now unless it is there; mapped read-only."""
    if not path.exists():
        _write(path, shape, dtype, work)
    try:
        found: Pixels = np.load(path, mmap_mode="r", allow_pickle=False)
        whole = found.shape == shape and found.dtype == dtype
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is damaged ({error}): delete it and run the same command again.") from error
    if not whole:
        raise RunError(f"{path} holds {found.shape}, not {shape}: delete it and run the same command again.")
    return found


def _write(path: Path, shape: tuple[int, ...], dtype: type[np.generic], work: Decode) -> None:
    """Chunk by chunk into a file beside it (so that a full disk is an error, not a signal), then renamed."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    chunk = max(1, int(CHUNK_MIB * MIB // (np.prod(shape[1:], dtype=np.int64) * np.dtype(dtype).itemsize)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for start in range(0, shape[0], chunk):
                file.write(np.ascontiguousarray(work(range(start, min(start + chunk, shape[0])))).data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize // MIB
        raise RunError(
            f"cannot write the decoded images ({size:,} MiB) to {path}: {error.strerror or error}. Free some space, or "
            "choose another place for the run with --out."
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink()


def _key(inputs: ImageFiles | ImageArray, height: int, width: int) -> str:
    """Changes when any file, the target size, or the way of decoding changes."""
    found = blake2b(digest_size=12)
    found.update(f"{CURRENT['image-cache']} {height} {width}".encode())
    if isinstance(inputs, ImageArray):
        found.update(f"{inputs.pixels.shape} {inputs.pixels.dtype}".encode())
        for start in range(0, len(inputs.pixels), 4096):
            found.update(np.ascontiguousarray(inputs.pixels[start : start + 4096]).data)
    else:
        found.update(f"{inputs.channels} {inputs.depth_bits}".encode())
        for path in inputs.paths:
            stat = path.stat()
            found.update(
                f"{path.absolute()}\x1f{stat.st_size}\x1f{stat.st_mtime_ns}\x1e".encode("utf-8", "surrogateescape")
            )
    return found.hexdigest()
