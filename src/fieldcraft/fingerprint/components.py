"""Into how many pieces a cloud falls: the components of its neighbour graph."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.stats import gamma

FARTHEST, STEPS = 60.0, 6001
"""Integral over the gap, in mean spacings."""


def components(between: npt.NDArray[np.float64], level: float = 0.05) -> int:
    """Pieces that stand apart significantly, from distances (n, n).

    Each point is joined with its k nearest neighbours, with k just large enough that points drawn at random along a
    line, the connected set that breaks most easily, fall apart with a chance of less than `level`. So no scale is set
    by hand, dense and sparse pieces count alike, and a piece has more than k points: outliers are none.
    Source of the graph: Brito et al. 1997, Statistics and Probability Letters 35:33.
    """
    count = len(between)
    near = neighbours_to_join(count, level)
    if count <= near + 1:
        return min(count, 1)
    apart = between + np.diag(np.full(count, np.inf))
    joined = np.argpartition(apart, near, axis=1)[:, :near]
    rows = np.repeat(np.arange(count), near)
    graph = coo_matrix((np.ones(rows.size), (rows, joined.ravel())), shape=(count, count))
    return int(connected_components(graph, directed=False, return_labels=False))


@lru_cache
def neighbours_to_join(count: int, level: float) -> int:
    """The least k for which a line of `count` random points breaks with a chance below `level`.

    It breaks where a gap is longer than the k spacings on its left and than the k on its right; spacings are
    exponential. The chance of any such gap is at most the sum over all.
    """
    gap = np.linspace(0.0, FARTHEST, STEPS)
    for near in range(1, count):
        broken = count * float(np.trapezoid(np.exp(-gap) * gamma.cdf(gap, near) ** 2, gap))
        if broken < level:
            return near
    return max(1, count - 1)
