"""Slices as pictures: truth and prediction as outlines, and where they differ beside how unsure the model was."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fieldcraft.report.pixels import INK

Plane = npt.NDArray[Any]
SIDE = 256
"""Pixels of the longer side, about: small slices are enlarged by whole factors."""
TRUTH, PREDICTED, BOTH, WRONG = (46, 204, 113), (255, 140, 0), (255, 255, 255), (220, 38, 38)
"""Colours of the outlines, of where both run, and of wrong voxels."""


def outlined(image: Plane, truth: Plane, predicted: Plane) -> Image.Image:
    """Gray image (height, width) with the boundaries of two masks of class ids; void (-1) is darker."""
    factor = max(1, SIDE // max(image.shape))
    big = np.stack([_large(image, factor)] * 3, axis=-1).astype(np.uint8)
    void = _large(truth, factor) < 0
    big[void] = big[void] // 2
    true_rim, said_rim = _rim(_large(truth, factor)), _rim(_large(predicted, factor))
    for rim, colour in ((true_rim, TRUTH), (said_rim, PREDICTED), (true_rim & said_rim, BOTH)):
        big[rim] = colour
    return Image.fromarray(big)


def mistaken(truth: Plane, predicted: Plane, uncertainty: Plane) -> Image.Image:
    """Uncertainty (0 to 255) from dark to light, wrong voxels in red; a map of the same size as `outlined`."""
    factor = max(1, SIDE // max(truth.shape))
    share = _large(uncertainty, factor).astype(np.float64) / 255
    anchors = np.linspace(0, 1, len(INK))
    colours = np.stack([np.interp(share, anchors, INK[:, channel]) for channel in range(3)], axis=-1)
    colours[_large((truth != predicted) & (truth >= 0), factor)] = WRONG
    return Image.fromarray(colours.round().astype(np.uint8))


def _large(values: Plane, factor: int) -> Plane:
    return np.repeat(np.repeat(values, factor, axis=0), factor, axis=1)


def _rim(labels: Plane) -> npt.NDArray[np.bool_]:
    """Pixels whose right or lower neighbour belongs to another class."""
    rim = np.zeros(labels.shape, bool)
    rim[:, :-1] |= labels[:, :-1] != labels[:, 1:]
    rim[:-1] |= labels[:-1] != labels[1:]
    return rim
