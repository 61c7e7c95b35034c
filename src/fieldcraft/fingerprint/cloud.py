"""Samples as points: flat, centred, turned to their principal components; and the distances between them."""

import numpy as np
import numpy.typing as npt

from fieldcraft.fingerprint.shrink import shrunk
from fieldcraft.fingerprint.some import Rows
from fieldcraft.records.streams import stream_seed

Points = npt.NDArray[np.float64]
Samples = npt.NDArray[np.generic]
"""(n, d) features, or (n, height, width, channels) pixels."""

MOST_COMPONENTS = 128
LONGEST_SIDE = 32
"""Images are averaged down to at most so many pixels a side: neighbours change little, sums become cheap."""
SPARE_DIRECTIONS, POWER_STEPS = 10, 2
REPEAT = 1e-6
"""Of the median distance: points that are closer repeat each other."""


def points(samples: Samples, rows: Rows, seed: int) -> Points:
    """The principal components of some samples, at most 128. Shape: (rows, components), each of mean zero.

    Columns keep their scale: tables should come standardised. Source of the sketch of wide ones: Halko et al. 2011,
    arXiv:0909.4061, algorithm 4.4.
    """
    flat = _flat(samples, rows)
    flat -= flat.mean(axis=0)
    if flat.shape[1] <= MOST_COMPONENTS:
        return flat.astype(np.float64)
    random = np.random.default_rng(stream_seed(seed, "fingerprint", "directions"))
    wanted = min(MOST_COMPONENTS + SPARE_DIRECTIONS, *flat.shape)
    basis = flat @ random.standard_normal((flat.shape[1], wanted)).astype(np.float32)
    for _ in range(POWER_STEPS):
        basis = flat @ (flat.T @ np.linalg.qr(basis)[0])
    basis = np.linalg.qr(basis)[0]
    left, sizes, _ = np.linalg.svd(basis.T @ flat, full_matrices=False)
    kept = slice(0, min(MOST_COMPONENTS, len(sizes)))
    return np.asarray((basis @ left)[:, kept] * sizes[kept], dtype=np.float64)


def distances(cloud: Points) -> Points:
    """Between every two points, the same to the last bit both ways. Shape: (n, n). Cost: 16 n^2 bytes while made."""
    squares = np.square(cloud).sum(axis=1)
    between = squares[:, None] + squares
    between -= 2 * cloud @ cloud.T
    np.maximum(between, 0.0, out=between)
    np.sqrt(between, out=between)
    np.fill_diagonal(between, 0.0)
    return np.asarray(np.maximum(between, between.T))


def first_of_each(between: Points) -> Rows:
    """Rows without exact repeats: of points in one place, the first."""
    typical = float(np.median(between))
    repeats = np.tril(between <= REPEAT * typical, -1).any(axis=1) if typical > 0 else np.arange(len(between)) > 0
    return np.flatnonzero(~repeats)


def _flat(samples: Samples, rows: Rows) -> npt.NDArray[np.float32]:
    if samples.ndim == 2:
        return np.nan_to_num(samples[rows].astype(np.float32), posinf=0.0, neginf=0.0)
    return shrunk(samples, rows, LONGEST_SIDE).reshape(len(rows), -1).astype(np.float32)
