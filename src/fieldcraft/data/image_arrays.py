"""Arrays of images: their depth, their channels, their size, and where the channels stand."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from fieldcraft.errors import DataError

DTYPES: dict[int, type[np.generic]] = {8: np.uint8, 16: np.uint16, 32: np.float32}
"""By bits."""
LUMA = np.array([0.299, 0.587, 0.114])
"""ITU-R 601, as Pillow weighs colours."""
MOST_CHANNELS = 64
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""


def depth_of(pixels: npt.NDArray[np.generic]) -> int:
    """Bits a number: 8, 16 or 32."""
    return 8 * int(pixels.dtype.itemsize)


def with_depth(pixels: npt.NDArray[np.generic], bits: int) -> npt.NDArray[np.generic]:
    """The same pixels with other bits: full white stays full white between 8 and 16; to 32 the numbers stay."""
    dtype = DTYPES[bits]
    if pixels.dtype == dtype:
        return pixels
    if bits == 32:
        return pixels.astype(np.float32)
    if pixels.dtype.kind == "f":
        return np.clip(np.rint(pixels.astype(np.float64)), 0, 2**bits - 1).astype(dtype)
    if bits == 16:
        return pixels.astype(np.uint16) * np.uint16(257)
    return (pixels.astype(np.uint32) * 255 // 65535).astype(np.uint8)


def with_channels(pixels: npt.NDArray[np.generic], channels: int) -> npt.NDArray[np.generic]:
    """The same pixels (..., c) with other channels: gray is repeated, colour is weighed to gray, alpha is dropped.

    Raises: ValueError when there is no such way.
    """
    have = pixels.shape[-1]
    if have == channels:
        return pixels
    if have in (2, 4) and channels in (1, 3):
        return with_channels(pixels[..., : have - 1], channels)
    if have == 1 and channels == 3:
        return np.repeat(pixels, 3, axis=-1)
    if have == 3 and channels == 1:
        gray = pixels.astype(np.float64) @ LUMA
        rounded: npt.NDArray[np.float64] = gray if pixels.dtype.kind == "f" else np.rint(gray)
        return rounded.astype(pixels.dtype)[..., None]
    raise ValueError(f"it has {have} channels, {channels} are needed")


def resized(
    pixels: npt.NDArray[np.generic], height: int, width: int, box: Box | None = None
) -> npt.NDArray[np.generic]:
    """One image (h, w, c), or a box of it, at another size, bilinear and antialiased; not kept in proportion."""
    if pixels.shape[:2] == (height, width):
        return pixels
    size = (width, height)
    if pixels.dtype == np.uint8 and pixels.shape[2] in (1, 3):
        image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))
        small = np.asarray(image.resize(size, Image.Resampling.BILINEAR, box))
        return small.reshape(height, width, pixels.shape[2])
    planes = [
        np.asarray(
            Image.fromarray(pixels[..., channel].astype(np.float32)).resize(size, Image.Resampling.BILINEAR, box)
        )
        for channel in range(pixels.shape[2])
    ]
    stacked = np.stack(planes, axis=-1)
    return stacked if pixels.dtype == np.float32 else with_depth(stacked, depth_of(pixels))


def middle(height: int, width: int, to_height: int, to_width: int) -> Box:
    """The largest box about the centre of an image with the proportions of another size."""
    scale = min(height / to_height, width / to_width)
    left, top = (max(0.0, have - scale * to) / 2 for have, to in ((width, to_width), (height, to_height)))
    return left, top, width - left, height - top


def covering(pixels: npt.NDArray[np.generic], height: int, width: int) -> npt.NDArray[np.generic]:
    """One image (h, w, c) at another size, kept in proportion: what does not fit is cut off on both sides."""
    return resized(pixels, height, width, middle(pixels.shape[0], pixels.shape[1], height, width))


def as_images(
    values: npt.NDArray[np.generic], what: str = "X", *, gaps: bool = False
) -> tuple[npt.NDArray[np.generic], tuple[str, ...]]:
    """Any array of images as (n, h, w, c) in uint8, uint16 or float32, with notes on what was recognised.

    Shape: (n, h, w), (n, h, w, c) or (n, c, h, w). `gaps`: whether NaN and infinity may stay, since whoever asks will
    look for them. Raises: DataError when it is none of these.
    """
    if values.ndim == 3:
        placed, notes = values[..., None], [f"{what} {values.shape}: gray images"]
    elif values.ndim == 4:
        placed, notes = _channels_last(values, what)
    else:
        raise DataError(
            f"{what} must have 3 or 4 axes to be images (samples, height, width[, channels]), but has shape "
            f"{values.shape}. Two axes (samples, features) are read as a table."
        )
    if 0 in placed.shape:
        raise DataError(f"{what} has shape {values.shape}: nothing in it. Give at least two samples.")
    stored, note = _stored(placed, what)
    if not gaps:
        require_finite(stored, what)
    return stored, (*notes, *note)


def require_finite(pixels: npt.NDArray[np.generic], what: str) -> None:
    """Raises: DataError naming the images that hold NaN or infinity."""
    if pixels.dtype.kind != "f":
        return
    wrong = [row for row, image in enumerate(pixels) if not np.isfinite(image).all()]
    if wrong:
        raise DataError(
            f"{what} must hold finite numbers, but {len(wrong)} sample(s) hold NaN or infinity (number "
            f"{', '.join(map(str, wrong[:10]))}, counted from 0). Leave them out (--skip-bad) or fill the gaps."
        )


def _channels_last(values: npt.NDArray[np.generic], what: str) -> tuple[npt.NDArray[np.generic], list[str]]:
    second, height, last = values.shape[1:]
    if second == height == last and second > 4:
        raise DataError(
            f"{what} {values.shape} looks like volumes (samples, depth, height, width), which are not read yet."
        )
    if last in (1, 3, 4) or (second not in (1, 3, 4) and last <= second and last <= MOST_CHANNELS):
        return values, [f"{what} {values.shape}: images with {last} channel(s) on the last axis"]
    if second <= MOST_CHANNELS:
        return np.moveaxis(values, 1, -1), [
            f"{what} {values.shape}: images with {second} channel(s) on the second axis"
        ]
    raise DataError(
        f"{what} {values.shape} shows no axis of channels (at most {MOST_CHANNELS}): give (samples, height, width, "
        "channels) or (samples, channels, height, width)."
    )


def _stored(values: npt.NDArray[np.generic], what: str) -> tuple[npt.NDArray[np.generic], tuple[str, ...]]:
    """In the smallest of uint8, uint16 and float32 that holds the numbers."""
    kind = values.dtype.kind
    if values.dtype in (np.uint8, np.uint16):
        return values, ()
    if kind == "b":
        return values.astype(np.uint8), (f"{what} holds true and false, kept as 0 and 1",)
    if kind in "iu":
        low, high = int(np.min(values.astype(np.int64))), int(np.max(values.astype(np.int64)))
        dtype: type[np.generic] = np.float32
        if low >= 0 and high <= 65535:
            dtype = np.uint8 if high <= 255 else np.uint16
        return values.astype(dtype), (f"{what} holds whole numbers {low} to {high}, kept as {dtype.__name__}",)
    if kind == "f":
        return values.astype(np.float32, copy=False), ()
    raise DataError(f"{what} must hold numbers to be images, but its dtype is {values.dtype}.")
