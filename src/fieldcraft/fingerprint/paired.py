"""Interval of a paired gain over several draws, none of them taken for more than it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

LEVEL = 0.9
"""Of the interval: each of its ends holds with 95 %, as tests of non-inferiority have it."""

Gains = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """A mean and where it may lie."""

    mean: float
    low: float
    high: float


def paired_interval(gains: Sequence[Gains], units: Sequence[npt.NDArray[np.int64]]) -> Interval:
    """The mean gain over all samples of all draws.

    `gains`: for each draw (at least two), one number a judged sample. `units`: what each of them comes from, a sample
    or a group; what comes from one unit is taken as one observation, in whichever draws. The interval is the wider of
    two: normal over units, and t over the means of draws. The first knows that samples are few, the second that
    draws of filters and training samples differ.
    """
    every = np.concatenate(gains)
    mean = float(every.mean())
    _, unit = np.unique(np.concatenate(units), return_inverse=True)
    of_units = np.bincount(unit, weights=every - mean)
    over_units = norm.ppf((1 + LEVEL) / 2) * float(np.sqrt(np.square(of_units).sum())) / len(every)
    means = np.array([draw.mean() for draw in gains])
    over_draws = t.ppf((1 + LEVEL) / 2, len(means) - 1) * float(means.std(ddof=1)) / len(means) ** 0.5
    half = float(max(over_units, over_draws))
    return Interval(mean, mean - half, mean + half)
