"""Images made small by averaging blocks of pixels."""

import numpy as np
import numpy.typing as npt

from fieldcraft.fingerprint.some import Rows

PIECE_VALUES = 4_000_000
"""Numbers turned to floating point at once."""
MOST_PLACES = 3


def shrunk(pixels: npt.NDArray[np.generic], rows: Rows, longest: int) -> npt.NDArray[np.float64]:
    """Means over equal blocks, so that no side is longer than wanted; what is left over at the far ends is cut.

    Of blocks of more than 3 x 3 pixels, at most 3 x 3 that are evenly spread count: facts do not need all of them.
    Shape: (n, height, width, channels) -> (rows, height', width', channels). Pixels that are no number count as 0.
    """
    piece = max(1, PIECE_VALUES // max(1, pixels[:1].size))
    return np.concatenate([_averaged(pixels[rows[at : at + piece]], longest) for at in range(0, len(rows), piece)])


def _averaged(pixels: npt.NDArray[np.generic], longest: int) -> npt.NDArray[np.float64]:
    height, width = pixels.shape[1:3]
    down, across = -(-height // longest), -(-width // longest)
    rows, columns = height // down, width // across
    views = [
        pixels[:, top : rows * down : down, left : columns * across : across]
        for top in spread(down)
        for left in spread(across)
    ]
    total = np.zeros(views[0].shape)
    for view in views:
        total += np.nan_to_num(view.astype(np.float64), posinf=0.0, neginf=0.0)
    return total / len(views)


def spread(side: int) -> tuple[int, ...]:
    """At most three places along a side, evenly spread."""
    return tuple(range(side)) if side <= MOST_PLACES else tuple(side * (2 * place + 1) // 6 for place in range(3))
