"""Pictures of one page: PNG, JPEG, TIFF, BMP, WebP; axes are y, x. As masks: numbers, palettes, or colours."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fieldcraft.data import images
from fieldcraft.data.cases import Geometry
from fieldcraft.data.images import FORMATS, SUFFIXES, load_image, read_header
from fieldcraft.data.volumes.header import BadFile, Header

__all__ = ["SUFFIXES", "header", "is_lossy", "read", "read_mask", "write"]

TYPES = {8: "uint8", 16: "uint16", 32: "float32"}
COLOUR = ("RGB", "RGBA")
Values = npt.NDArray[Any]


def header(path: Path) -> Header:
    """Size, channels and type. Raises: Unreadable."""
    found = read_header(path)
    shape = (found.height, found.width)
    return Header(
        geometry=Geometry(shape=shape, spacing=(1.0, 1.0)), channels=found.channels, dtype=TYPES[found.depth_bits]
    )


def read(path: Path) -> Values:
    """(channels, y, x), upright. Raises: Unreadable."""
    found = read_header(path)
    pixels = load_image(
        path, height=found.height, width=found.width, channels=found.channels, depth_bits=found.depth_bits
    )
    return np.moveaxis(pixels, -1, 0)


def read_mask(path: Path) -> tuple[Values, bool]:
    """(y, x) of numbers, and whether they are colours (0xRRGGBB); colours that are all gray are numbers.

    Raises: BadFile for a mask that was saved with losses; Unreadable.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if lossy := is_lossy(image, path):
                raise BadFile(
                    f"a mask saved as lossy {lossy} has wrong numbers along edges: save it as PNG from the original",
                    "lossy-mask",
                )
            if image.mode in COLOUR:
                colour = np.asarray(image)[..., :3].astype(np.int32)
                gray = bool((colour == colour[..., :1]).all())
                packed = colour[..., 0] if gray else (colour[..., 0] << 16) + (colour[..., 1] << 8) + colour[..., 2]
                return packed, not gray
            values = np.asarray(image.convert("L") if image.mode == "LA" else image)
            return (values.astype(np.uint8) if values.dtype == np.bool_ else values), False
    except BadFile:
        raise
    except Exception as error:  # Pillow's plugins raise almost anything on damaged files
        raise images.Unreadable(images.reason(path, error)) from error


def is_lossy(image: Image.Image, path: Path) -> str:
    """JPEG or WebP, where its compression changed numbers; else nothing."""
    if image.format in ("JPEG", "MPO"):
        return "JPEG"
    if image.format == "WEBP":
        with path.open("rb") as file:
            return "" if b"VP8L" in file.read(64) else "WebP"
    return ""


def write(values: Values, path: Path) -> None:
    """(y, x) of numbers, or (y, x, 3) of colours, as the suffix says (a lossless one)."""
    Image.fromarray(values).save(path)
