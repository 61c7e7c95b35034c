"""One image file: what its header says, and its pixels at a wanted size, number of channels and depth."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile

from fieldcraft.data.dataset import Problem
from fieldcraft.data.deep_png import read_deep_png
from fieldcraft.data.deep_tiff import is_deep_colour, read_deep_tiff
from fieldcraft.data.image_arrays import covering, middle, resized, with_channels, with_depth

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jpe", ".tif", ".tiff", ".bmp", ".webp"})
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
GRAY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "F")
ORIENTATION = 0x0112
"""The Exif tag; 5 to 8 turn the image by a quarter."""

A = TypeVar("A")
B = TypeVar("B")


class Unreadable(Exception):
    """An image that cannot be read; its text says why."""


@dataclass(frozen=True)
class Header:
    """What is known of an image before its pixels are decoded."""

    height: int
    width: int
    channels: int
    depth_bits: int


def is_image(path: Path) -> bool:
    """Whether its name says that it is an image."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def in_threads(work: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """`work` on each item, in order; a few threads, as Pillow and hashing let others run meanwhile."""
    if len(items) < 64:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(8, cpu_count() or 1)) as pool:
        return [one for many in pool.map(lambda part: [work(item) for item in part], _pieces(items)) for one in many]


def _pieces(items: Sequence[A]) -> list[Sequence[A]]:
    return [items[start : start + 64] for start in range(0, len(items), 64)]


def read_header(path: Path) -> Header:
    """Size, channels and depth, without decoding. Raises: Unreadable."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if _turned(image):
                width, height = height, width
            return Header(height, width, 1 if _is_gray(image) else 3, _bits(image))
    except Exception as error:  # Pillow's plugins raise almost anything on damaged files
        raise Unreadable(reason(path, error)) from error


def read_headers(paths: Sequence[Path], names: Sequence[str]) -> tuple[list[Header | None], tuple[Problem, ...]]:
    """All headers, None for a file that cannot be read, which then is a problem under its name."""

    def one(path: Path) -> Header | str:
        try:
            return read_header(path)
        except Unreadable as error:
            return str(error)

    found = in_threads(one, paths)
    problems = tuple(
        Problem(sample=name, reason=what) for name, what in zip(names, found, strict=True) if isinstance(what, str)
    )
    return [None if isinstance(what, str) else what for what in found], problems


def load_image(
    path: Path, *, height: int, width: int, channels: int, depth_bits: int, cover: bool = False
) -> npt.NDArray[np.generic]:
    """The pixels, turned upright as Exif says and resized (bilinear, antialiased).

    `cover`: in proportion until the size is covered, what lies beyond being cut off on both sides; otherwise both sides
    are scaled for themselves.
    Shape: (height, width, channels); uint8, uint16 or float32 for 8, 16 or 32 bits. Raises: Unreadable.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size; the result is never smaller than asked for.
            image.draft(None, (height, width) if _turned(image) else (width, height))
            if depth_bits == 8 and _bits(image) == 8:
                upright = _upright(image).convert("L" if channels == 1 else "RGB")
                if upright.size != (width, height):
                    box = middle(upright.height, upright.width, height, width) if cover else None
                    upright = upright.resize((width, height), Image.Resampling.BILINEAR, box)
                return with_channels(np.asarray(upright).reshape(height, width, -1), channels)
            pixels = with_depth(with_channels(_deep_pixels(path, image), channels), depth_bits)
            return covering(pixels, height, width) if cover else resized(pixels, height, width)
    except Exception as error:  # Pillow's plugins raise almost anything on damaged files
        raise Unreadable(reason(path, error)) from error


def _deep_pixels(path: Path, image: Image.Image) -> npt.NDArray[np.generic]:
    """(h, w, c) with all the bits that the file has."""
    if image.mode == "F":
        return np.asarray(image, np.float32)[..., None]
    if image.mode.startswith("I"):
        deep: npt.NDArray[np.uint16] = np.clip(np.asarray(_upright(image)), 0, 65535).astype(np.uint16)
        return deep[..., None]
    if _is_deep_png(image) and not image.info.get("interlace"):
        return read_deep_png(path.read_bytes())
    if is_deep_colour(image):
        colour = read_deep_tiff(image, path.read_bytes())
        if colour is not None:
            return colour
    upright = _upright(image).convert("L" if _is_gray(image) else "RGB")
    return np.asarray(upright).reshape(upright.height, upright.width, -1)


def _upright(image: Image.Image) -> Image.Image:
    return ImageOps.exif_transpose(image) if image.format in ("JPEG", "MPO") else image


def _turned(image: Image.Image) -> bool:
    """Whether Exif turns it by a quarter (looked at for JPEG alone: other plugins would have to decode first)."""
    return image.format in ("JPEG", "MPO") and image.getexif().get(ORIENTATION, 1) >= 5


def _is_gray(image: Image.Image) -> bool:
    if image.mode == "P":
        palette = np.array(image.getpalette("RGB") or [0, 0, 0]).reshape(-1, 3)
        return bool((palette == palette[:, :1]).all())
    return image.mode in GRAY_MODES


def _bits(image: Image.Image) -> int:
    if image.mode == "F":
        return 32
    if image.mode.startswith("I") or is_deep_colour(image) or _is_deep_png(image):
        return 16
    return 8


def _is_deep_png(image: Image.Image) -> bool:
    return isinstance(image, PngImageFile) and any(str(tile[3]).endswith("16B") for tile in image.tile)


def reason(path: Path, error: Exception) -> str:
    """Why a file could not be read, from what reading it raised."""
    if not path.exists():
        return "there is no such file"
    if path.is_dir():
        return "this is a folder"
    if path.stat().st_size == 0:
        return "the file is empty"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, UnidentifiedImageError):
        return f"its content is no image ({', '.join(FORMATS)})"
    return f"damaged: {error}"
