"""TIFF with 16 bits a channel in colour, which Pillow cuts down to 8.

Source: TIFF 6.0, sections 7, 8 and 14 (predictor).
"""

import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

BITS, COMPRESSION, OFFSETS, SAMPLES, COUNTS, PLANAR, PREDICTOR = 258, 259, 273, 277, 279, 284, 317
DEFLATE = (8, 32946)


def is_deep_colour(image: Image.Image) -> bool:
    """Whether it is a colour TIFF with 16 bits a channel."""
    if not isinstance(image, TiffImageFile):
        return False
    bits = image.tag_v2.get(BITS, ())
    return isinstance(bits, tuple) and len(bits) > 1 and set(bits) == {16}


def read_deep_tiff(image: Image.Image, data: bytes) -> npt.NDArray[np.uint16] | None:
    """All channels, or None when its compression or layout is not read here (LZW, tiles, separate planes).

    Shape: (height, width, channels). Raises: ValueError when the file is damaged or cut short.
    """
    if not isinstance(image, TiffImageFile):
        return None
    tags = image.tag_v2
    compression, predictor = tags.get(COMPRESSION, 1), tags.get(PREDICTOR, 1)
    if tags.get(PLANAR, 1) != 1 or OFFSETS not in tags or compression not in (1, *DEFLATE) or predictor not in (1, 2):
        return None
    strips = [data[at : at + count] for at, count in zip(tags[OFFSETS], tags[COUNTS], strict=True)]
    try:
        raw = b"".join(zlib.decompress(strip) if compression in DEFLATE else strip for strip in strips)
    except zlib.error as error:
        raise ValueError(f"damaged pixels ({error})") from error
    width, height = image.size
    channels = tags.get(SAMPLES, 3)
    if len(raw) < 2 * height * width * channels:
        raise ValueError("the file is cut short")
    order = ">u2" if data[:2] == b"MM" else "<u2"
    values = np.frombuffer(raw, order, height * width * channels).reshape(height, width, channels).astype(np.uint16)
    return np.cumsum(values, axis=1, dtype=np.uint16) if predictor == 2 else values
