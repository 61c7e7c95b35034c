"""Where in an image the evidence for its class lies, by a linear probe of the pixels; only where two probes agree."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.linalg import cho_factor, cho_solve

from fieldcraft.fingerprint.foreground import Box, largest, otsu
from fieldcraft.fingerprint.some import folds

Maps = npt.NDArray[np.float64]

PENALTY = 0.1
"""Of ridge regression, in units of the mean square of an image."""
AGREEMENT = 0.5
"""Least correlation of the evidence by two probes that share no sample."""
BLUR = 1 / 16
"""Of the shorter side: how far evidence is spread before a threshold is drawn."""


def by_saliency(images: Maps, code: Maps, groups: npt.NDArray[np.generic] | None, seed: int) -> list[Box | None] | None:
    """The region of each image with the strongest evidence, found by a probe that has not seen the image.

    `images`: (n, height, width, channels). `code`: (n, outputs), as `coded` gives targets. Evidence at a pixel is the
    pixel's deviation times the weight that the sample's target has there. The samples are cut in three; on those of
    each part, the probes of the other two must agree (correlation of the signed evidence at least 0.5 on average).
    None: they do not, so the weights are mostly chance, and so would be the regions.
    """
    part = folds(len(images), groups, 3, seed)
    if len(np.unique(part)) < 3:
        return None
    flat = images.reshape(len(images), -1)
    centred = flat - flat.mean(axis=0)
    weights = [_weights(centred[part == one], code[part == one]) for one in range(3)]
    evidence, agreements = np.empty(images.shape[:3]), []
    for one in range(3):
        own = part == one
        first, second = (_evidence(centred[own], code[own], weights[(one + k) % 3], images.shape) for k in (1, 2))
        agreements.append(_correlation(first, second))
        evidence[own] = first + second
    if np.mean(np.concatenate(agreements)) < AGREEMENT:
        return None
    blur = BLUR * min(images.shape[1:3])
    return [_region(ndimage.gaussian_filter(np.abs(one), blur)) for one in evidence]


def _weights(centred: Maps, code: Maps) -> Maps:
    inner = centred @ centred.T
    inner[np.diag_indices_from(inner)] += PENALTY * max(float(np.trace(inner)) / len(inner), 1e-12)
    return np.asarray(centred.T @ cho_solve(cho_factor(inner), code - code.mean(axis=0)))


def _evidence(centred: Maps, code: Maps, weights: Maps, shape: tuple[int, ...]) -> Maps:
    own = (code - code.mean(axis=0)) @ weights.T
    return np.asarray((centred * own).reshape(-1, *shape[1:]).sum(axis=3))


def _correlation(first: Maps, second: Maps) -> Maps:
    """Of the two maps of each image; 0 where one is flat."""
    a, b = (
        one.reshape(len(one), -1) - one.reshape(len(one), -1).mean(axis=1, keepdims=True) for one in (first, second)
    )
    size = np.sqrt(np.square(a).sum(axis=1) * np.square(b).sum(axis=1))
    return np.asarray((a * b).sum(axis=1) / np.where(size > 0, size, 1.0))


def _region(strength: Maps) -> Box | None:
    threshold, clear = otsu(strength)
    return largest(strength > threshold) if clear > 0 else None
