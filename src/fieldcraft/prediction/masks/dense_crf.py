"""A fully connected CRF as a last step: voxels that are near, or near and alike, pull each other towards one class.

Helps: probabilities that are blurred or speckled where the image has an edge. Hurts: thin structures and small objects,
which neighbours of another class outvote, and images whose edges are not those of the classes; so it is kept only where
validation improves (`crf_search`).
Source: Kraehenbuehl & Koltun 2011, arXiv:1210.5644, algorithm 1 and equation 3, with the Potts model. Kernels are
normalised symmetrically, k_ij / sqrt(d_i d_j) with d_i = sum_j k_ij, so that weights mean the same at each width and at
borders.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import correlate1d

from fieldcraft.errors import DataError
from fieldcraft.prediction.masks.pair import Spacing, check_spacing
from fieldcraft.prediction.masks.permutohedral import Points, lattice
from fieldcraft.records.masks import DenseCrf

Kernel = Callable[[Points], Points]
"""(voxels, classes) to the same: sums over all voxels, the voxel itself included with 1."""
Message = Callable[[Points], Points]
"""The same, normalised, and without the voxel itself."""
Volume = npt.NDArray[np.float32]
"""(channels or classes, *spatial)."""
REACH = 4.0
"""Deviations at which the Gaussian of positions alone ends."""
SHIPPED = DenseCrf()
MOST_EXACT = 4096
"""Voxels for which all pairs are compared."""


@dataclass(frozen=True)
class Neighbours:
    """Who speaks to whom in one case, at given widths; what has no weight is not there."""

    smooth: Message | None
    near: Message | None


def marginals(logits: Volume, image: Volume, spacing: Spacing, crf: DenseCrf = SHIPPED) -> Volume:
    """Probabilities after mean field; with both weights 0 the softmax of the logits.

    Shape: logits (classes, *spatial), image (channels, *spatial) of the same sides; found (classes, *spatial).
    Cost: linear in voxels. Memory: 0.6 kB a voxel with one channel, up to 6 kB with three or four noisy ones.
    Raises: DataError where shapes do not fit, or an image or logits are not finite.
    """
    check_sides(logits, image)
    return mean_field(logits, neighbours(standardised(image), spacing, crf), crf)


def exact_marginals(logits: Volume, image: Volume, spacing: Spacing, crf: DenseCrf = SHIPPED) -> Volume:
    """The same by comparing all pairs of voxels: the reference for `marginals`, for at most 4,096 voxels."""
    check_sides(logits, image)
    places, tones = _features(standardised(image), spacing, crf)
    if len(places) > MOST_EXACT:
        raise DataError(
            f"comparing all pairs takes at most {MOST_EXACT} voxels, but got {len(places)}. Use `marginals`, or crop."
        )
    smooth = _gram(places * np.float32(crf.near_mm / crf.smooth_mm))
    near = _gram(np.concatenate([places, tones], axis=1))
    return mean_field(logits, Neighbours(_message(smooth, len(places)), _message(near, len(places))), crf)


def standardised(image: Volume) -> Volume:
    """Each channel less its mean, in its standard deviations; 0 where it is constant."""
    if not np.isfinite(image).all():
        raise DataError("an image must be finite for the CRF, but some voxels are not. Run `fieldcraft audit`.")
    axes = tuple(range(1, image.ndim))
    spread = image.std(axis=axes, keepdims=True, dtype=np.float64)
    centred = image - image.mean(axis=axes, keepdims=True, dtype=np.float64)
    found: Volume = (centred / np.where(spread > 0, spread, 1.0)).astype(np.float32)
    return found


def neighbours(tones: Volume, spacing: Spacing, crf: DenseCrf) -> Neighbours:
    """The messages of a case: a separable Gaussian of positions, and a lattice of positions and intensities.

    `tones`: the standardised image. They serve every CRF of the same widths that gives no weight to what has none here.
    """
    places, alike = _features(tones, spacing, crf)
    smooth = _smooth(tones.shape[1:], spacing, crf.smooth_mm) if crf.smooth_weight else None
    near = lattice(np.concatenate([places, alike], axis=1)) if crf.near_weight else None
    return Neighbours(smooth and _message(smooth, len(places)), near and _message(near, len(places)))


def mean_field(logits: Volume, around: Neighbours, crf: DenseCrf) -> Volume:
    """All voxels at once, `crf.iterations` times: q = softmax(logits + weighted messages of q)."""
    if not np.isfinite(logits).all():
        raise DataError("logits must be finite, but some are not. Look for a loss that diverged.")
    own = np.ascontiguousarray(logits.reshape(len(logits), -1).T, dtype=np.float32)
    both = ((crf.smooth_weight, around.smooth), (crf.near_weight, around.near))
    assert all(said is not None or not weight for weight, said in both), "neighbours were made for another CRF"
    terms = [(np.float32(weight), said) for weight, said in both if weight and said is not None]
    q = _softmax(own)
    for _ in range(crf.iterations if terms else 0):
        pulled = own.copy()
        for weight, said in terms:
            pulled += weight * said(q)
        q = _softmax(pulled)
    return q.T.reshape(logits.shape)


def _softmax(logits: Points) -> Points:
    """Over the few columns; one column at a time, which is several times as quick as reducing short rows."""
    top = logits[:, 0].copy()
    for column in logits.T[1:]:
        np.maximum(top, column, out=top)
    found: Points = np.exp(logits - top[:, None])
    total = found[:, 0].copy()
    for column in found.T[1:]:
        total += column
    found /= total[:, None]
    return found


def check_sides(logits: Volume, image: Volume) -> None:
    """Raise DataError unless both have the same spatial sides."""
    if logits.shape[1:] != image.shape[1:]:
        raise DataError(
            f"logits and image must have the same sides, but got {logits.shape[1:]} and {image.shape[1:]}. "
            "Predict at the resolution of the image, or resample one of them."
        )


def _features(tones: Volume, spacing: Spacing, crf: DenseCrf) -> tuple[Points, Points]:
    """Positions and intensities of each voxel, in deviations of the second kernel."""
    sides = tones.shape[1:]
    check_spacing(spacing, len(sides), "CRF")
    axes = np.meshgrid(
        *(np.arange(side) * (one / crf.near_mm) for side, one in zip(sides, spacing, strict=True)), indexing="ij"
    )
    places = np.stack(axes, axis=-1).reshape(-1, len(sides)).astype(np.float32)
    return places, (tones.reshape(len(tones), -1).T / crf.tone).astype(np.float32)


def _smooth(sides: Sequence[int], spacing: Spacing, width_mm: float) -> Kernel:
    """Gaussian of positions, axis by axis; exact but for what is beyond `REACH`."""
    bells = []
    for one in spacing:
        reach = int(REACH * width_mm / one)
        bells.append(np.exp(-0.5 * (np.arange(-reach, reach + 1) * one / width_mm) ** 2))

    def kernel(values: Points) -> Points:
        found = values.reshape(*sides, -1)
        for axis, bell in enumerate(bells):
            found = correlate1d(found, bell, axis=axis, mode="constant")
        return found.reshape(values.shape)

    return kernel


def _gram(features: Points) -> Kernel:
    wide = features.astype(np.float64)
    squares = np.square(wide).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * wide @ wide.T, 0.0)
    table = np.exp(-0.5 * distances).astype(np.float32)

    def kernel(values: Points) -> Points:
        found: Points = table @ values
        return found

    return kernel


def _message(kernel: Kernel, voxels: int) -> Message:
    """k_ij / sqrt(d_i d_j) without i = j. The voxel itself is 1 of d_i, whatever an approximation makes of it."""
    total: Points = np.maximum(kernel(np.ones((voxels, 1), np.float32)), np.float32(1))
    share: Points = np.reciprocal(total)
    root: Points = np.sqrt(share)

    def said(q: Points) -> Points:
        found: Points = root * kernel(root * q) - share * q
        return found

    return said
