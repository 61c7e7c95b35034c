"""Stacks of pages in one TIFF file; axes are z, y, x."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fieldcraft.data.cases import Geometry
from fieldcraft.data.volumes.header import BadFile, Header, kept_type, too_many_axes

SUFFIXES = (".tif", ".tiff")
DESCRIPTION, X_RESOLUTION, Y_RESOLUTION = 270, 282, 283
TO_MM = {"nm": 1e-6, "um": 1e-3, "µm": 1e-3, "\\u00b5m": 1e-3, "micron": 1e-3, "microns": 1e-3, "mm": 1.0, "cm": 10.0}
Values = npt.NDArray[Any]


def pages(path: Path) -> int:
    """How many a file has. Raises: whatever Pillow raises."""
    with Image.open(path, formats=("TIFF",)) as image:
        return int(getattr(image, "n_frames", 1))


def header(path: Path) -> Header:
    """Shape, spacing as ImageJ writes it (else 1 px), channels and type. Raises: BadFile for pages that differ."""
    with Image.open(path, formats=("TIFF",)) as image:
        deep, channels = _layout(image)
        first = _plane(image)
        spacing = _spacing(image)
        geometry = Geometry(
            shape=(deep, image.height, image.width),
            spacing=spacing or (1.0, 1.0, 1.0),
            unit="mm" if spacing else "px",
        )
        return Header(geometry=geometry, channels=channels * first.shape[0], dtype=kept_type(first.dtype))


def read(path: Path) -> Values:
    """(channels, z, y, x). Raises: BadFile for pages of different sizes."""
    return np.concatenate([piece for _, piece in slabs(path, 0)], axis=1)


def slabs(path: Path, most: int) -> Iterator[tuple[int, Values]]:
    """The stack piece by piece along z: (first place, (channels, z, y, x)). `most`: values a piece, about."""
    with Image.open(path, formats=("TIFF",)) as image:
        size = image.size
        deep, channels = _layout(image)
        many = max(1, most // (size[0] * size[1] * channels))
        for first in range(0, deep, many):
            planes = []
            for place in range(first, min(first + many, deep)):
                of_place = []
                for channel in range(channels):
                    image.seek(place * channels + channel)
                    if image.size != size:
                        raise BadFile(f"its pages have different sizes ({size} and {image.size})")
                    of_place.append(_plane(image))
                planes.append(np.concatenate(of_place))
            yield first, np.stack(planes, axis=1)


def read_page(path: Path, page: int) -> Values:
    """(channels, y, x) of one page."""
    with Image.open(path, formats=("TIFF",)) as image:
        image.seek(page)
        return _plane(image)


def write(values: Values, path: Path) -> None:
    """(z, y, x) as a stack, (y, x) as one page; losslessly compressed."""
    planes = [Image.fromarray(plane) for plane in values.reshape(-1, *values.shape[-2:])]
    planes[0].save(path, format="TIFF", compression="tiff_deflate", save_all=len(planes) > 1, append_images=planes[1:])


def _plane(image: Image.Image) -> Values:
    """(channels, y, x); palettes stay numbers, since masks have them."""
    values = np.asarray(image)
    if values.dtype == np.bool_:
        values = values.astype(np.uint8)
    return values[None] if values.ndim == 2 else np.moveaxis(values[..., :3], -1, 0)


def _layout(image: Image.Image) -> tuple[int, int]:
    """(z, channels) of the pages; ImageJ lets channels vary fastest. Raises: BadFile for points in time."""
    whole = int(getattr(image, "n_frames", 1))
    said = _description(image)
    told = {key: int(said.get(key, "1")) for key in ("channels", "frames", "slices") if said.get(key, "1").isdigit()}
    if told.get("frames", 1) > 1 and told.get("slices", 1) > 1:
        raise too_many_axes((told["frames"], told["slices"], image.height, image.width))
    channels = told.get("channels", 1)
    if channels < 1 or whole % channels:
        return whole, 1
    return whole // channels, channels


def _description(image: Image.Image) -> dict[str, str]:
    text = str(getattr(image, "tag_v2", {}).get(DESCRIPTION, ""))
    if not text.startswith("ImageJ="):
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in text.splitlines())}


def _spacing(image: Image.Image) -> tuple[float, float, float] | None:
    """Along z, y, x in mm, where ImageJ says all of it."""
    said, tags = _description(image), getattr(image, "tag_v2", {})
    factor = TO_MM.get(said.get("unit", "").lower())
    if factor is None or not re.fullmatch(r"[0-9.eE+-]+", said.get("spacing", "")):
        return None
    x, y = (float(tags.get(tag, 0) or 0) for tag in (X_RESOLUTION, Y_RESOLUTION))
    z = float(said["spacing"])
    return (factor * z, factor / y, factor / x) if min(x, y, z) > 0 else None


def write_colours(values: Values, path: Path) -> None:
    """(z, y, x, 3) of colours as a stack."""
    planes = [Image.fromarray(plane) for plane in values]
    planes[0].save(path, format="TIFF", compression="tiff_deflate", save_all=True, append_images=planes[1:])
