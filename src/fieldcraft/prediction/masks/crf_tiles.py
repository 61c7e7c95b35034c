"""The CRF on cases of any size: tile by tile, each with a margin, so that memory does not grow with the case."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from fieldcraft.prediction.masks.dense_crf import (
    SHIPPED,
    Volume,
    check_sides,
    marginals,
    mean_field,
    neighbours,
    standardised,
)
from fieldcraft.prediction.masks.pair import Spacing, check_spacing
from fieldcraft.records.masks import DenseCrf

MOST_VOXELS = 1_000_000
"""Of a tile with its margin: 0.6 GB with one channel."""
MARGIN = 3.0
"""Deviations of the wider Gaussian around a tile that are computed and thrown away."""


def tiled_marginals(
    logits: Volume, image: Volume, spacing: Spacing, crf: DenseCrf = SHIPPED, most_voxels: int = MOST_VOXELS
) -> Volume:
    """What `marginals` gives, exactly where the case fits in one tile and nearly where it takes several.

    Intensities are standardised over the whole case. A side is never cut below twice its margin, so wide Gaussians take
    more memory than asked for. Shape and errors as there.
    """
    if int(np.prod(image.shape[1:])) <= most_voxels:
        return marginals(logits, image, spacing, crf)
    check_sides(logits, image)
    check_spacing(spacing, image.ndim - 1, "CRF")
    tones = standardised(image)
    found = np.empty(logits.shape, np.float32)
    margins = [int(np.ceil(MARGIN * max(crf.near_mm, crf.smooth_mm) / one)) for one in spacing]
    for core in _cores(image.shape[1:], margins, most_voxels):
        wide = tuple(
            slice(max(0, one.start - margin), one.stop + margin) for one, margin in zip(core, margins, strict=True)
        )
        inner = tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(core, wide, strict=True))
        tile = (slice(None), *wide)
        refined = mean_field(logits[tile], neighbours(tones[tile], spacing, crf), crf)
        found[(slice(None), *core)] = refined[(slice(None), *inner)]
    return found


def _cores(sides: tuple[int, ...], margins: list[int], most_voxels: int) -> Iterator[tuple[slice, ...]]:
    """Boxes that cover the case once; the longest side is halved until a box with its margins is small enough."""
    lengths = list(sides)
    while np.prod([min(side, n + 2 * m) for side, n, m in zip(sides, lengths, margins, strict=True)]) > most_voxels:
        spare = [n if n > max(1, 2 * m) else 0 for n, m in zip(lengths, margins, strict=True)]
        if not any(spare):
            break
        lengths[int(np.argmax(spare))] = -(-max(spare) // 2)
    starts = [range(0, side, n) for side, n in zip(sides, lengths, strict=True)]
    for at in product(*starts):
        yield tuple(slice(one, min(one + n, side)) for one, n, side in zip(at, lengths, sides, strict=True))
