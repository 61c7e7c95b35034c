"""Intrinsic dimension by the two nearest neighbours of each sample."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

KEPT = 0.9
"""Of the ratios; the largest are cut off, as in the paper: they feel the borders most."""
LEAST_POINTS = 20
MOST_TIES = 0.05
"""Share of points with two nearest neighbours at one distance, above which the values lie on a grid."""
ROBUST = 0.25
"""Of the ratios, the smallest: they set the rate by which near repeats are told."""
ROUNDS = 5
CHANCE = 0.05
"""That a single point among all is taken for a near repeat though it is none."""

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Dimension:
    """An intrinsic dimension and its 95 % interval."""

    value: float
    low: float
    high: float
    repeats: int
    """Points left out because they lie closer to another than chance puts them."""


def two_nn(between: Array) -> Dimension | None:
    """The dimension of the cloud around its points, from distances (n, n) of points that do not repeat exactly.

    The ratio of the second to the first neighbour's distance has a logarithm that is exponential with the dimension as
    its rate, whatever the density. Here the rate is that of the smallest 90 % of n such times (a censored sample), with
    its chi-squared interval; mutual nearest neighbours share a distance, so such a pair counts as one observation.
    First, near repeats (copies with noise) are dropped: points with a ratio that, at the rate of the smallest quarter,
    not one point in twenty such sets would have.

    None: fewer than 20 points, or values on a grid (many equal distances), for which the ratio says nothing.
    Hurts: borders and few points make dimensions of five and more look too small, ten by about a tenth; strong
    curvature at the distance of neighbours makes them look too large. The interval knows nothing of either.
    Source: Facco et al. 2017, Scientific Reports 7:12140; the censored rate: Epstein and Sobel 1953, JASA 48:486.
    """
    apart, repeats = between + np.diag(np.full(len(between), np.inf)), 0
    for _ in range(ROUNDS):
        if len(apart) < LEAST_POINTS:
            return None
        nearest = apart.argmin(axis=1)
        first, second = np.partition(apart, 1, axis=1)[:, :2].T
        logs = np.log(second / first)
        if (logs < 1e-9).mean() > MOST_TIES:
            return None
        near = logs > np.log(len(logs) / CHANCE) / _rate(logs, ROBUST)
        near &= ~near[nearest] | (np.arange(len(near)) > nearest)
        if not near.any():
            break
        repeats += int(near.sum())
        apart = apart[np.ix_(~near, ~near)]
    count = len(logs)
    value = _rate(logs, KEPT)
    mutual = float((nearest[nearest] == np.arange(count)).mean())
    freedom = 2 * int(KEPT * count) * (1 - mutual / 2)
    low, high = (value * float(chi2.ppf(q, freedom)) / freedom for q in (0.025, 0.975))
    return Dimension(value, low, high, repeats)


def _rate(times: Array, share: float) -> float:
    """The rate of exponential times, from the smallest share of them and how many are longer."""
    seen = max(2, int(share * len(times)))
    smallest = np.sort(times)[:seen]
    return float((seen - 1) / (smallest.sum() + (len(times) - seen) * smallest[-1]))
