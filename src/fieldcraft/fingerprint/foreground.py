"""The object of an image, where it stands out from what lies along the border."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

BORDER = 0.04
"""Of the shorter side: how wide the border is."""
MOST_BORDER = 0.25
"""Share of the border that may look like the object."""
CLEAR = 0.6
"""Least share of the variance that the two sides of the threshold explain."""
BINS = 128
EDGE_TO_EDGE = np.ones((3, 3), dtype=np.int64)

Map = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Box:
    """An object's box in pixels, and the share of the frame that the object itself covers."""

    top: int
    left: int
    height: int
    width: int
    share: float


def by_contrast(image: Map) -> Box | None:
    """The largest connected region that differs from the border's median colour. `image`: (height, width, channels).

    None: nothing differs, the border itself is no uniform ground, or no threshold parts the two clearly.
    Source of the threshold: Otsu 1979, IEEE Transactions on Systems, Man, and Cybernetics 9:62.
    """
    height, width = image.shape[:2]
    frame = np.ones((height, width), dtype=bool)
    wide = max(1, round(BORDER * min(height, width)))
    frame[wide:-wide, wide:-wide] = False
    away = np.sqrt(np.square(image - np.median(image[frame], axis=0)).sum(axis=2))
    threshold, clear = otsu(away)
    if clear < CLEAR or (away[frame] > threshold).mean() > MOST_BORDER:
        return None
    return largest(away > threshold)


def largest(mask: npt.NDArray[np.bool_]) -> Box | None:
    """The box of the largest connected region, corners counting as contact; None when nothing is set."""
    regions, count = ndimage.label(mask, structure=EDGE_TO_EDGE)
    if not count:
        return None
    sizes = np.bincount(regions.ravel())[1:]
    place = ndimage.find_objects(regions)[int(sizes.argmax())]
    down, across = place
    return Box(
        down.start, across.start, down.stop - down.start, across.stop - across.start, float(sizes.max() / mask.size)
    )


def otsu(values: Map) -> tuple[float, float]:
    """The threshold that parts values best, and the share of their variance that it explains; (0, 0) for equal ones."""
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return low, 0.0
    counts, edges = np.histogram(values, bins=BINS, range=(low, high))
    share, middles = counts / values.size, (edges[:-1] + edges[1:]) / 2
    below, sums = np.cumsum(share)[:-1], np.cumsum(share * middles)
    mean = sums[-1]
    between = (mean * below - sums[:-1]) ** 2 / np.maximum(below * (1 - below), 1e-12)
    best = int(between.argmax())
    return float(edges[best + 1]), float(between[best] / (share @ (middles - mean) ** 2))
