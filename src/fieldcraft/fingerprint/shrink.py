"""Images made small by averaging blocks of pixels."""

import numpy as np
import numpy.typing as npt

from fieldcraft.fingerprint.some import Rows

PIECE_VALUES = 4_000_000
"""Numbers turned to floating point at once."""


def shrunk(pixels: npt.NDArray[np.generic], rows: Rows, longest: int) -> npt.NDArray[np.float64]:
    """Means over equal blocks, so that no side is longer than wanted; what is left over at the far ends is cut.

    Shape: (n, height, width, channels) -> (rows, height', width', channels). Pixels that are no number count as 0.
    """
    piece = max(1, PIECE_VALUES // max(1, pixels[:1].size))
    return np.concatenate([_averaged(pixels[rows[at : at + piece]], longest) for at in range(0, len(rows), piece)])


def _averaged(pixels: npt.NDArray[np.generic], longest: int) -> npt.NDArray[np.float64]:
    count, height, width, channels = pixels.shape
    down, across = -(-height // longest), -(-width // longest)
    rows, columns = height // down, width // across
    cut = np.nan_to_num(pixels[:, : rows * down, : columns * across].astype(np.float64), posinf=0.0, neginf=0.0)
    return np.asarray(cut.reshape(count, rows, down, columns, across, channels).mean(axis=(2, 4)))
