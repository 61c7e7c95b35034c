"""Images as rows of numbers, the way every baseline sees them."""

import numpy as np
import numpy.typing as npt


def flatten_pixels(pixels: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    """(n, ...) stored pixels as (n, values) float32.

    uint8 and uint16 are scaled to [0, 1] by the largest value of their type; floating point is left as it is.
    """
    flat = pixels.reshape(len(pixels), -1)
    largest = {"uint8": 255, "uint16": 65_535}.get(flat.dtype.name)
    if largest is not None:
        return flat.astype(np.float32) * np.float32(1 / largest)
    return np.ascontiguousarray(flat, dtype=np.float32)
