"""The interval of a mean difference at the last look, for pairs whose folds share training data."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

from fieldcraft.proof.looks import bound, last_look
from fieldcraft.proof.rules import Rules
from fieldcraft.records.proof import Between


def half_width(look: int, rules: Rules) -> float:
    """Half the interval at a look, in standard deviations of the differences.

    The variance of the mean is (1 / n + overlap) times that of one difference: folds share samples, so that their
    differences err together, and the mean of however many pairs never knows more than this data does. `overlap` is what
    is seen of that (`common_error`), or n2 / n1, samples of a fold over samples trained on, where nothing is seen
    (Nadeau and Bengio 2003, section 3). A common error makes looks resemble one another more than the independent pairs
    for which the bounds are worked out, so that they hold with something to spare. Every pair needs a fold drawn anew;
    a few folds taken in turn are no more observations than they are folds, and the t distribution has the degrees of
    freedom of those.
    """
    few = rules.folds if rules.overlap and rules.folds > 1 else look
    return bound(rules.alpha, look, min(look, few)) * sqrt(1 / look + rules.overlap)


def spread(differences: Sequence[float], rules: Rules) -> float:
    """Standard deviation of two or more differences, or the least that their resolution allows."""
    return max(stdev(differences), rules.least)


def interval(differences: Sequence[float], rules: Rules) -> Between | None:
    """Mean and interval at the last look that these pairs have reached; None before the first.

    `differences`: in the order of their pairs; what came after the look does not count yet.
    """
    look = last_look(len(differences))
    if not look:
        return None
    seen = differences[:look]
    value, half = fmean(seen), half_width(look, rules) * spread(seen, rules)
    return Between(value=value, low=value - half, high=value + half, pairs=look)
