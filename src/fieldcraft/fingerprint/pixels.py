"""Mean and deviation of image channels, on a few images or on all."""

import numpy as np
import numpy.typing as npt

from fieldcraft.data.dataset import ImageArray, ImageFiles
from fieldcraft.data.images import Unreadable, in_threads, load_image
from fieldcraft.errors import DataError

PIECE = 256
"""Images turned to floating point at once."""

Moments = npt.NDArray[np.float64]


def channel_moments(
    inputs: ImageArray | ImageFiles, rows: npt.NDArray[np.int64]
) -> tuple[tuple[float, ...], tuple[float, ...], int]:
    """Mean and deviation of each channel in stored units, every image counting alike, and how many could be read.

    Raises: DataError when none of the images can be read.
    """
    if isinstance(inputs, ImageArray):
        pieces = [inputs.pixels[rows[start : start + PIECE]] for start in range(0, len(rows), PIECE)]
        moments = np.concatenate([_moments(piece.astype(np.float64)) for piece in pieces])
    else:
        moments = _of_files(inputs, rows)
    mean, square = moments.mean(axis=0)
    std = np.sqrt(np.maximum(square - mean**2, 0.0))
    return tuple(map(float, mean)), tuple(map(float, std)), len(moments)


def _moments(pixels: Moments) -> Moments:
    """(images, 2, channels): mean and mean square of each image."""
    return np.stack([pixels.mean(axis=(1, 2)), np.square(pixels).mean(axis=(1, 2))], axis=1)


def _of_files(files: ImageFiles, rows: npt.NDArray[np.int64]) -> Moments:
    def one(row: np.int64) -> Moments | str:
        height, width = files.sizes[row]
        try:
            pixels = load_image(
                files.paths[row],
                height=int(height),
                width=int(width),
                channels=files.channels,
                depth_bits=files.depth_bits,
            )
        except Unreadable as error:
            return f"{files.paths[row]}: {error}"
        return _moments(pixels[None].astype(np.float64))

    found = in_threads(one, list(rows))
    read = [what for what in found if not isinstance(what, str)]
    if not read:
        raise DataError(f"none of {len(rows)} training images can be read. {found[0]}.")
    return np.concatenate(read)
