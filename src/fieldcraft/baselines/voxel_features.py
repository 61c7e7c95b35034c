"""What a voxel looks like without a network: filters of the image at several scales, and where it lies."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from fieldcraft.records.streams import stream_seed

SCALES = (1.0, 2.0, 4.0)
"""Deviations of Gaussians, in voxels of the finest axis."""
Floats = npt.NDArray[np.float32]


def features_of(channels: int, axes: int) -> int:
    """How many numbers a voxel has."""
    return channels * (1 + 3 * len(SCALES)) + axes


def voxel_features(image: Floats, spacing: Sequence[float]) -> Floats:
    """Of each voxel: its value, and smoothed value, slope and curvature at each scale; then its place in the frame.

    Shape: (channels, *spatial), scaled -> (features, *spatial), float32.
    """
    axes = image.ndim - 1
    finest = min(spacing)
    found: list[npt.NDArray[np.generic]] = []
    for channel in image:
        found.append(channel)
        for scale in SCALES:
            widths = [scale * finest / one for one in spacing]
            found += [
                ndimage.gaussian_filter(channel, widths, mode="nearest"),
                ndimage.gaussian_gradient_magnitude(channel, widths, mode="nearest"),
                ndimage.gaussian_laplace(channel, widths, mode="nearest"),
            ]
    sides = image.shape[1:]
    for axis, side in enumerate(sides):
        along = ((np.arange(side, dtype=np.float32) + 0.5) / side).reshape(-1, *(1,) * (axes - axis - 1))
        found.append(np.broadcast_to(along, sides))
    return np.stack([one.astype(np.float32, copy=False) for one in found])


def drawn(mask: npt.NDArray[np.generic], count: int, *, name: str, seed: int) -> npt.NDArray[np.int64]:
    """Places in a flattened mask: half of them anywhere with a label, half shared out among the classes that occur."""
    random = np.random.default_rng(stream_seed(seed, "voxels", name))
    flat = np.asarray(mask).reshape(-1)
    known = np.flatnonzero(flat >= 0)
    if not len(known):
        return known
    present = np.unique(flat[known])
    each = max(1, count // 2 // len(present))
    chosen = [random.choice(known, min(len(known), count // 2), replace=False)]
    for one in present:
        places = np.flatnonzero(flat == one)
        chosen.append(random.choice(places, min(len(places), each), replace=False))
    return np.unique(np.concatenate(chosen))
