"""Samples as a probe sees them, for what depends on labels: a layer of filters for images, columns for tables."""

import numpy as np

from fieldcraft.fingerprint.cloud import LONGEST_SIDE, Points, Samples, points
from fieldcraft.fingerprint.probe import probe_features
from fieldcraft.fingerprint.shrink import shrunk
from fieldcraft.fingerprint.some import Rows


def looks(samples: Samples, rows: Rows, seed: int) -> Points:
    """Points for distances and linear models. Shape: (rows, at most 128)."""
    if samples.ndim == 2:
        return points(samples, rows, seed)
    return points(probe_features(shrunk(samples, rows, LONGEST_SIDE), seed=seed), np.arange(len(rows)), seed)


def looked_at(samples: Samples) -> str:
    """What the points are, in words."""
    return "columns" if samples.ndim == 2 else "rectified responses to whitened patches"
