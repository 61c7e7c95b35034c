"""Small gray copies of images: enough to tell what is damaged, flat, or looks like another."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.data.dataset import ImageArray, ImageFiles
from fieldcraft.data.images import Unreadable, in_threads, load_image, read_header
from fieldcraft.records.streams import stream_seed

SIDE = 16
CHUNK = 2048
FILES = 256
"""Read between two looks at the clock."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SmallCopies:
    """One entry an image; NaN where it was not read or cannot be."""

    gray: npt.NDArray[np.float32]
    """(n, side, side), mean of the channels, averaged over the cells of a grid of at most 16 x 16."""
    mean: npt.NDArray[np.float32]
    """(n, channels), in stored units."""
    flat: npt.NDArray[np.bool_]
    """Whether every pixel has one value."""
    channels: npt.NDArray[np.int64]
    """Of the file; 0 where it was not read."""
    broken: dict[int, str]
    """Rows that cannot be read, and why."""
    endless: npt.NDArray[np.bool_]
    """Whether it holds NaN or infinity."""
    looked: int
    """Images that there was time for."""


def small_copies(inputs: ImageArray | ImageFiles, over: Callable[[], bool]) -> SmallCopies:
    """Read all images, or, when the time is over before that, a random part of them."""
    return _of_array(inputs) if isinstance(inputs, ImageArray) else _of_files(inputs, over)


def _of_array(inputs: ImageArray) -> SmallCopies:
    count, height, width, channels = inputs.pixels.shape
    found = _empty(count, channels, min(SIDE, height), min(SIDE, width), looked=count)
    found.channels[:] = channels
    for start in range(0, count, CHUNK):
        rows = slice(start, start + CHUNK)
        pixels = inputs.pixels[rows].astype(np.float32)
        found.gray[rows] = _averaged(pixels.mean(axis=3))
        found.mean[rows] = pixels.mean(axis=(1, 2))
        flattened = pixels.reshape(len(pixels), -1, channels)
        found.flat[rows] = (flattened == flattened[:, :1]).all(axis=(1, 2))
        found.endless[rows] = ~np.isfinite(found.mean[rows]).all(axis=1)
    return found


def _of_files(inputs: ImageFiles, over: Callable[[], bool]) -> SmallCopies:
    count = len(inputs.paths)
    order = np.random.default_rng(stream_seed(0, "audit", "files")).permutation(count)
    found = _empty(count, inputs.channels, SIDE, SIDE, looked=0)

    def one(row: int) -> str | None:
        path = inputs.paths[row]
        try:
            header = read_header(path)
            small = load_image(
                path, height=SIDE, width=SIDE, channels=inputs.channels, depth_bits=inputs.depth_bits
            ).astype(np.float32)
            found.channels[row] = header.channels
            found.gray[row], found.mean[row] = small.mean(axis=2), small.mean(axis=(0, 1))
            found.endless[row] = not np.isfinite(small).all()
            if (small == small[:1, :1]).all():
                # A speck can vanish in a small copy: only now is the whole image worth looking at.
                whole = load_image(
                    path, height=header.height, width=header.width, channels=inputs.channels,
                    depth_bits=inputs.depth_bits,
                )  # fmt: skip
                found.flat[row] = bool((whole == whole[:1, :1]).all())
        except Unreadable as error:
            return str(error)
        return None

    looked = 0
    while looked < count and not (looked and over()):
        rows = order[looked : looked + FILES].tolist()
        for row, reason in zip(rows, in_threads(one, rows), strict=True):
            if reason is not None:
                found.broken[row] = reason
        looked += len(rows)
    return SmallCopies(
        gray=found.gray, mean=found.mean, flat=found.flat, channels=found.channels, broken=found.broken,
        endless=found.endless, looked=looked,
    )  # fmt: skip


def _empty(count: int, channels: int, height: int, width: int, *, looked: int) -> SmallCopies:
    return SmallCopies(
        gray=np.full((count, height, width), np.nan, np.float32),
        mean=np.full((count, channels), np.nan, np.float32),
        flat=np.zeros(count, np.bool_),
        channels=np.zeros(count, np.int64),
        broken={},
        endless=np.zeros(count, np.bool_),
        looked=looked,
    )


def _averaged(gray: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(n, h, w) -> (n, at most 16, at most 16), means over the cells of a grid."""
    _, height, width = gray.shape
    rows = np.linspace(0, height, min(SIDE, height), endpoint=False).astype(np.int64)
    columns = np.linspace(0, width, min(SIDE, width), endpoint=False).astype(np.int64)
    sums = np.add.reduceat(np.add.reduceat(gray, rows, axis=1), columns, axis=2)
    cells = np.diff(np.append(rows, height))[:, None] * np.diff(np.append(columns, width))[None, :]
    found: npt.NDArray[np.float32] = (sums / cells).astype(np.float32)
    return found
