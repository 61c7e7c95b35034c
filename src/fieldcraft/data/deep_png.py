"""PNG with 16 bits a channel, which Pillow keeps only for plain gray.

Source: PNG specification (third edition), sections 5, 9 (filters) and 11.2.1 (IHDR).
"""

import struct
import zlib

import numpy as np
import numpy.typing as npt

CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
"""Numbers a pixel by PNG colour type."""


def read_deep_png(data: bytes) -> npt.NDArray[np.uint16]:
    """All channels of a PNG with 16 bits each, alpha included.

    Shape: (height, width, channels). Raises: ValueError when it is no such file, is interlaced, or is cut short.
    """
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("no PNG file")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data[16:29])
    if depth != 16 or colour not in CHANNELS or interlaced:
        raise ValueError("only PNG with 16 bits, without palette and interlacing, is read here")
    step = 2 * CHANNELS[colour]
    try:
        raw = np.frombuffer(zlib.decompress(_pixels(data)), np.uint8)
    except zlib.error as error:
        raise ValueError(f"damaged pixels ({error})") from error
    if raw.size < height * (1 + width * step):
        raise ValueError("the file is cut short")
    lines = raw[: height * (1 + width * step)].reshape(height, 1 + width * step)
    values = _unfilter(lines[:, 0], lines[:, 1:].reshape(height, width, step))
    return values.view(">u2").astype(np.uint16)


def _pixels(data: bytes) -> bytes:
    """The compressed stream: all IDAT chunks in a row."""
    chunks, at = [], 8
    while at + 8 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            chunks.append(data[at + 8 : at + 8 + length])
        at += 12 + length
    return b"".join(chunks)


def _unfilter(filters: npt.NDArray[np.uint8], deltas: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Undo the five line filters, one anti-diagonal at a time.

    A pixel needs its left, upper, and upper-left neighbours, so all pixels of an anti-diagonal can be done at once:
    height + width steps instead of height x width.
    """
    height, width, step = deltas.shape
    out = np.zeros((height + 1, width + 1, step), np.int16)
    for diagonal in range(height + width - 1):
        row = np.arange(max(0, diagonal - width + 1), min(height, diagonal + 1))
        column = diagonal - row
        left, up, corner = out[row + 1, column], out[row, column + 1], out[row, column]
        kind = filters[row, None]
        guess = np.select(
            [kind == 1, kind == 2, kind == 3, kind == 4],
            [left, up, (left + up) >> 1, _paeth(left, up, corner)],
            np.int16(0),
        )
        out[row + 1, column + 1] = (deltas[row, column] + guess) & 255
    return out[1:, 1:].astype(np.uint8)


def _paeth(
    left: npt.NDArray[np.int16], up: npt.NDArray[np.int16], corner: npt.NDArray[np.int16]
) -> npt.NDArray[np.int16]:
    """The neighbour nearest to left + up - corner; ties go to left, then up."""
    to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    return np.where((to_left <= to_up) & (to_left <= to_corner), left, np.where(to_up <= to_corner, up, corner))
