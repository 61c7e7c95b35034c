"""The interval of a mean difference at the last look, for pairs whose folds share training data."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

from fieldcraft.proof.looks import bound, last_look
from fieldcraft.records.proof import Between


def half_width(spread: float, look: int, alpha: float, overlap: float) -> float:
    """Half the interval at a look, from the standard deviation of differences.

    The variance of the mean is (1 / n + overlap) spread^2 with overlap = n2 / n1, samples of a fold over samples
    trained on (Nadeau and Bengio 2003, section 3): folds share training samples, so that their differences err
    together, and the mean of however many pairs never knows more than this data does. That common error makes looks
    resemble one another more than the independent pairs for which the bounds are worked out, so that they hold with
    something to spare.
    """
    return bound(alpha, look) * spread * sqrt(1 / look + overlap)


def spread(differences: Sequence[float], least: float) -> float:
    """Standard deviation of two or more differences, or the least that their resolution allows."""
    return max(stdev(differences), least)


def interval(differences: Sequence[float], *, alpha: float, overlap: float = 0.0, least: float = 0.0) -> Between | None:
    """Mean and interval at the last look that these pairs have reached; None before the first.

    `differences`: in the order of their pairs; what came after the look does not count yet. `least`: the standard
    deviation is taken for no less.
    """
    look = last_look(len(differences))
    if not look:
        return None
    seen = differences[:look]
    value, half = fmean(seen), half_width(spread(seen, least), look, alpha, overlap)
    return Between(value=value, low=value - half, high=value + half, pairs=look)
