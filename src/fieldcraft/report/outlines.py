"""Slices as pictures: truth and prediction as outlines over the image, and a map of what is wrong.

Told apart by form as well as by colour, on paper and by everyone: the truth is a wide light line, the prediction a thin
one within a dark rim. What was missed is dark, what was imagined is light.
"""

import base64
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from PIL import Image
from scipy.ndimage import maximum_filter1d

from fieldcraft.report.charts.sides import letters
from fieldcraft.report.charts.svg import drawing, tag

Plane = npt.NDArray[Any]
Bits = npt.NDArray[np.bool_]
FINE = 900
"""Pixels of the longer side of an outline, about: rows and columns are enlarged by whole factors."""
TRUTH, PREDICTED, RIM = (125, 211, 252), (255, 122, 24), (20, 24, 28)
"""Colours of the outlines, and of the rim around them."""
MISSED, IMAGINED, MIXED, VOID = (12, 44, 110), (240, 150, 40), (190, 40, 140), (188, 200, 204)
"""Colours of wrong voxels, and of those without a label."""
GREYS = 8
"""Steps from sure (light) to as unsure as can be."""
LARGE = 2
"""Slices that are enlarged no more than this are smoothed when they are drawn; of others every voxel is seen."""
DRAWN = 420.0
"""Longest side of a drawing, in pixels of the page."""


@dataclass(frozen=True, eq=False)
class Slice:
    """A slice of a case with its two masks; arrays are (height, width)."""

    image: Plane
    """uint8."""
    truth: Plane
    """Class ids; -1: void."""
    predicted: Plane
    uncertainty: Plane
    """uint8: 255 is as unsure as can be."""
    pixel: tuple[float, float]
    """Height and width of a pixel, in any unit."""
    ends: str
    """What is at the top, the right, the bottom and the left, a letter each; empty: not known."""

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of its drawing."""
        return drawn_size(self.image.shape, self.pixel)


def drawn_size(shape: tuple[int, ...], pixel: tuple[float, float]) -> tuple[float, float]:
    """Width and height of a slice on the page, in its true proportions."""
    height, width = shape[0] * pixel[0], shape[1] * pixel[1]
    scale = DRAWN / max(height, width)
    return round(width * scale, 1), round(height * scale, 1)


def outlined(slice_: Slice, label: str) -> Markup:
    """The image with the outlines of both masks; voxels without a label are darker."""
    factors = _factors(slice_)
    factor = min(factors)
    grey = np.where(slice_.truth < 0, slice_.image // 2, slice_.image).astype(np.uint8)
    true_rim, said_rim = (_rim(_large(labels, factors)) for labels in (slice_.truth, slice_.predicted))
    wide = max(1, factor // 3)
    layers = np.zeros(true_rim.shape, np.uint8)
    for bits, colour in (
        (_thick(true_rim, wide + 1) if factor > LARGE else true_rim, 1),
        (_thick(true_rim, wide), 2),
        (_thick(said_rim, 1 + factor // 6) if factor > 1 else said_rim, 1),
        (_thick(said_rim, factor // 6), 3),
    ):
        layers[bits] = colour
    overlay = _palette(layers, ((0, 0, 0), RIM, TRUTH, PREDICTED), alpha=bytes((0, 170, 255, 255)))
    return _drawn(slice_, (_png(Image.fromarray(grey)), overlay), label)


def mistaken(slice_: Slice, label: str) -> Markup:
    """Wrong voxels by kind over how unsure the model was, with the outline of the truth."""
    truth, predicted = slice_.truth, slice_.predicted
    found = (slice_.uncertainty.astype(np.int64) * (GREYS - 1) + 127) // 255
    wrong = (truth != predicted) & (truth >= 0)
    for bits, colour in (
        (wrong & (predicted == 0), GREYS),
        (wrong & (truth == 0), GREYS + 1),
        (wrong & (predicted > 0) & (truth > 0), GREYS + 2),
        (truth < 0, GREYS + 3),
    ):
        found[bits] = colour
    factors = _factors(slice_)
    big = _large(found, factors).astype(np.uint8)
    if max(factors) > 1:
        big[_thick(_rim(_large(truth, factors)), min(factors) // 6)] = GREYS + 4
    greys = tuple((level,) * 3 for level in np.linspace(250, 140, GREYS).round().astype(int).tolist())
    return _drawn(slice_, (_palette(big, (*greys, MISSED, IMAGINED, MIXED, VOID, RIM)),), label)


def _drawn(slice_: Slice, uris: tuple[str, ...], label: str) -> Markup:
    width, height = slice_.size
    box: dict[str, str | float] = {"width": width, "height": height, "preserveAspectRatio": "none"}
    if max(_factors(slice_)) > LARGE:
        box["class"] = "pixelated"
    parts = [tag("image", {"href": uri, **box}) for uri in uris]
    return drawing(label, width, height, [*parts, *letters(slice_.ends, width, height)], "slice")


def _factors(slice_: Slice) -> tuple[int, int]:
    """By which rows and columns are enlarged: on the page a pixel is about as high as wide, so are lines."""
    (width, height), (rows, columns) = slice_.size, slice_.truth.shape
    down, across = (max(1, round(FINE * side / DRAWN / count)) for side, count in ((height, rows), (width, columns)))
    return down, across


def _large(values: Plane, factors: tuple[int, int]) -> Plane:
    return np.repeat(np.repeat(values, factors[0], axis=0), factors[1], axis=1)


def _rim(labels: Plane) -> Bits:
    """Pixels whose right or lower neighbour belongs to another class; void parts nothing."""
    rim = np.zeros(labels.shape, bool)
    for here, there in (((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
                        ((slice(None, -1),), (slice(1, None),))):  # fmt: skip
        one, other = labels[here], labels[there]
        rim[here] |= (one != other) & (one >= 0) & (other >= 0)
    return rim


def _thick(bits: Bits, by: int) -> Bits:
    """Every place within `by` pixels, across or down."""
    if by < 1:
        return bits
    across = maximum_filter1d(bits.view(np.uint8), 2 * by + 1, axis=1, mode="constant")
    found: Bits = maximum_filter1d(across, 2 * by + 1, axis=0, mode="constant").view(bool)
    return found


def _palette(indices: Plane, colours: tuple[tuple[int, ...], ...], alpha: bytes = b"") -> str:
    image = Image.fromarray(indices)
    image.putpalette([part for colour in colours for part in colour])
    return _png(image, alpha)


def _png(image: Image.Image, alpha: bytes = b"") -> str:
    buffer = BytesIO()
    more = {"transparency": alpha} if alpha else {}
    image.save(buffer, format="PNG", optimize=True, **more)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
