"""The sizes of images, height and width together, in few words."""

import numpy as np
import numpy.typing as npt

from fieldcraft.records.facts import CommonSize

MOST = 48
"""Sizes that are told; more are put together with near ones."""
CELLS = (16, 8, 4, 2, 1)
"""Groups an octave of each side, finest first."""


def common_sizes(sizes: npt.NDArray[np.int64]) -> tuple[CommonSize, ...]:
    """Every size with its count, or medians of groups of near sizes where there are many; small to large.

    Shape: (n, 2), height and width in pixels.
    """
    found = _grouped(sizes, sizes)
    for cells in CELLS:
        if len(found) <= MOST:
            break
        found = _grouped(sizes, np.rint(cells * np.log2(np.maximum(sizes, 1))).astype(np.int64))
    return tuple(sorted(found, key=lambda one: (one.height * one.width, one.height)))


def _grouped(sizes: npt.NDArray[np.int64], keys: npt.NDArray[np.int64]) -> list[CommonSize]:
    _, group = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(group.reshape(-1), kind="stable")
    pieces = np.split(sizes[order], np.flatnonzero(np.diff(group.reshape(-1)[order])) + 1)
    medians = [np.median(piece, axis=0) for piece in pieces]
    return [
        CommonSize(height=round(height), width=round(width), count=len(piece))
        for (height, width), piece in zip(medians, pieces, strict=True)
    ]
