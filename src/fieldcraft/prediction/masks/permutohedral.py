"""Gaussian filtering of points with features of any dimension, in time linear in their number.

Points are spread over the corners of the simplices of the permutohedral lattice around them, the lattice is blurred
along each of its axes, and points gather what arrived. Every step is one sparse matrix.
Source: Adams, Baek & Davis 2010, doi:10.1111/j.1467-8659.2009.01645.x. Here the lattice also gets the empty corners
between two occupied ones: without them a blur loses what passes over them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from fieldcraft.errors import DataError

Points = npt.NDArray[np.float32]
"""(points, columns)."""
Corners = npt.NDArray[np.int64]
MOST_CODES = 2**62
"""Corners that can be told apart."""


@dataclass(frozen=True, eq=False)
class Lattice:
    """The filter for one set of points."""

    spread: sparse.csr_array
    """(corners, points)."""
    gather: sparse.csr_array
    """(points, corners)."""
    blurs: tuple[sparse.csr_array, ...]
    """(corners, corners), one an axis of the lattice."""
    scale: float
    """What the lattice makes of a kernel that is 1 at distance 0."""

    def __call__(self, values: Points) -> Points:
        """Of each point i the sum over all points j of exp(-|f_i - f_j|^2 / 2) values_j, about; i itself is among them.

        Shape: (points, columns) both.
        """
        found = self.spread @ values
        for blur in self.blurs:
            found = blur @ found
        result: Points = (self.gather @ found) / np.float32(self.scale)
        return result


def lattice(features: Points) -> Lattice:
    """The lattice around points whose features are in standard deviations of the Gaussian.

    Shape: (points, dimensions). Cost: n (d + 1) corners to look up; 2 n (d + 1) + 3 m (d + 1) products a column, m
    being the corners. Raises: DataError where features span so much that corners cannot be numbered.
    """
    points, dimensions = features.shape
    corners, weights = _simplices(_elevated(features))
    codes, steps = _codes(corners)
    position, occupied = pd.factorize(codes)
    nodes = _with_between(occupied, steps)
    where = np.searchsorted(nodes, occupied)[position]
    gather = sparse.csr_array(
        (weights.ravel(), where, np.arange(0, points * (dimensions + 1) + 1, dimensions + 1)),
        shape=(points, len(nodes)),
    )
    return Lattice(
        spread=gather.T.tocsr(),
        gather=gather,
        blurs=tuple(_blur(nodes, step) for step in steps),
        scale=float((dimensions + 1) ** -0.5 * (2 * np.pi * _VARIANCE) ** (-dimensions / 2)),
    )


_VARIANCE = 1 / 2 + 1 / 6
"""Of blurring, and of spreading and gathering; in units of (d + 1)^2."""


def _elevated(features: Points) -> Points:
    """(points, d + 1): features on the hyperplane of zero sums, so that one deviation is that of the lattice."""
    d = features.shape[1]
    steps = np.arange(1, d + 1)
    scaled = features * ((d + 1) * np.sqrt(_VARIANCE / (steps * (steps + 1)))).astype(np.float32)
    tails = np.zeros((len(features), d + 1), np.float32)
    tails[:, :d] = np.cumsum(scaled[:, ::-1], axis=1)[:, ::-1]
    tails[:, 1:] -= steps.astype(np.float32) * scaled
    return tails


def _simplices(elevated: Points) -> tuple[Corners, Points]:
    """Each point's d + 1 corners, (points * (d + 1), d) as the last coordinate follows, and its barycentric weights."""
    points, sides = elevated.shape
    base = np.rint(elevated / sides).astype(np.int32)
    excess = base.sum(axis=1, keepdims=True)
    order = np.argsort(-(elevated - base * sides), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(sides), order.shape), axis=1)
    rank += excess
    wrap = (rank < 0).astype(np.int32) - (rank >= sides)
    rank += sides * wrap
    base += wrap
    offset = np.empty_like(elevated)
    np.put_along_axis(offset, rank, elevated / sides - base, axis=1)
    weights = np.empty_like(elevated)
    weights[:, 0] = 1 - offset[:, 0] + offset[:, -1]
    weights[:, 1:] = (offset[:, :-1] - offset[:, 1:])[:, ::-1]
    kinds = np.arange(sides)[None, :, None]
    corners = sides * base[:, None, :-1] + kinds - sides * (rank[:, None, :-1] >= sides - kinds)
    return corners.reshape(points * sides, sides - 1), weights


def _codes(corners: Corners) -> tuple[Corners, tuple[int, ...]]:
    """One number a corner, and what a step along each axis of the lattice adds to it."""
    dimensions = corners.shape[1]
    room = 2 * (dimensions + 1)
    low = corners.min(axis=0) - room
    spans = [int(span) for span in corners.max(axis=0) + room + 1 - low]
    strides = [1]
    for span in spans:
        strides.append(strides[-1] * span)
    if strides[-1] >= MOST_CODES:
        raise DataError(
            f"{dimensions} features of positions and intensities span {strides[-1]:.1g} corners of the lattice, more "
            "than can be told apart. Take wider Gaussians or fewer channels."
        )
    stride = np.array(strides[:-1], dtype=np.int64)
    along = [sum(strides[:-1]) - (dimensions + 1) * one for one in strides[:-1]]
    return (corners - low) @ stride, (*along, sum(strides[:-1]))


def _with_between(occupied: Corners, steps: Sequence[int]) -> Corners:
    """Occupied corners and those that neighbour two or more of them, ascending."""
    beside = np.sort(np.concatenate([occupied + way * step for step in steps for way in (-1, 1)]))
    every = np.sort(np.concatenate([occupied, beside[1:][beside[1:] == beside[:-1]]]))
    return every[np.diff(every, prepend=every[0] - 1) > 0]


def _blur(nodes: Corners, step: int) -> sparse.csr_array:
    """(1, 2, 1) / 4 along one axis of the lattice; corners that are missing hold nothing."""
    ahead = np.minimum(np.searchsorted(nodes, nodes + step), len(nodes) - 1)
    source = np.flatnonzero(nodes[ahead] == nodes + step)
    quarter = sparse.csr_array(
        (np.full(len(source), 0.25, np.float32), (source, ahead[source])), shape=(len(nodes), len(nodes))
    )
    return (
        sparse.eye_array(len(nodes), dtype=np.float32, format="csr") * np.float32(0.5) + quarter + quarter.T
    ).tocsr()
