"""Arrays as pictures inside the page: PNG data URIs, small enough to keep the page light."""

import base64
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

THUMBNAIL_PX = 96
"""Longest side of a thumbnail; larger pictures are reduced."""
SMALL_PX = 64
"""Pictures up to this side are shown with square pixels."""
INK = np.array([(12, 8, 38), (84, 15, 109), (187, 55, 84), (249, 142, 8), (252, 255, 164)], dtype=np.float64)
"""Anchors of the colour map for maps of importance, dark (unimportant) to light; even steps of lightness."""

Pixels = npt.NDArray[Any]


def picture(pixels: Pixels) -> Image.Image:
    """An image of uint8 pixels (height, width[, channels]); of more than four channels the first three are shown."""
    values = np.asarray(pixels, dtype=np.uint8)
    if values.ndim == 3 and values.shape[2] not in (1, 3):
        values = values[..., :3] if values.shape[2] > 3 else values[..., :1]
    return Image.fromarray(values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values)


def data_uri(image: Image.Image, longest: int = THUMBNAIL_PX) -> str:
    """The image as a PNG data URI, reduced to `longest` pixels; large colour pictures get a palette of 256."""
    if max(image.size) > longest:
        scale = longest / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.LANCZOS)
        if image.mode == "RGB":
            image = image.quantize(256)
    buffer = BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def heat(values: Pixels) -> Image.Image:
    """A map (height, width) as colours, from its smallest value (dark) to its largest (light)."""
    scale = np.nan_to_num(np.asarray(values, dtype=np.float64))
    spread = scale.max() - scale.min() if scale.size else 0.0
    scale = (scale - scale.min()) / spread if spread > 0 else np.zeros_like(scale)
    anchors = np.linspace(0, 1, len(INK))
    colours = np.stack([np.interp(scale, anchors, INK[:, channel]) for channel in range(3)], axis=-1)
    return Image.fromarray(colours.round().astype(np.uint8))


def is_small(pixels: Pixels) -> bool:
    """Whether single pixels are to be seen as squares."""
    height, width = pixels.shape[:2]
    return bool(max(height, width) <= SMALL_PX)
