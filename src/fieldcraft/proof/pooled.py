"""Effects on several data sets as one: their mean, its interval, and how much they differ between sets.

The model is that of random effects: the sets' true effects spread around a mean with a variance tau^2, and what was
measured on a set errs around its own with a variance that is known.
Sources: Paule and Mandel 1982, J. Res. Natl. Bur. Stand. 87:377 (tau^2); Hartung and Knapp 2001, Statist. Med. 20:3875
(the interval); Roever, Knapp and Friede 2015, BMC Med. Res. Methodol. 15:99 (never narrower than the usual one: plain
Hartung-Knapp intervals are too narrow when the errors of the sets differ much).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_SETS = 5
"""Fewer sets say too little of how sets differ: no interval is claimed."""
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The effect on one set, and its standard error (above zero)."""

    value: float
    error: float


@dataclass(frozen=True, kw_only=True)
class Pooled:
    """The mean over sets."""

    sets: int
    value: float
    low: float | None
    high: float | None
    """95 % interval; None with fewer than five sets."""
    spread: float | None
    """tau, the standard deviation between sets; None for a single set."""


def pooled(sets: Sequence[Measured]) -> Pooled | None:
    """The random-effects mean; None without any set. The order of the sets does not matter."""
    if not sets:
        return None
    ordered = sorted(sets, key=lambda one: (one.value, one.error))
    tau2 = paule_mandel(ordered)
    value, error = hartung_knapp(ordered, tau2)
    low = high = None
    if len(ordered) >= LEAST_SETS:
        half = _quantile(len(ordered) - 1) * error
        low, high = value - half, value + half
    return Pooled(
        sets=len(ordered), value=value, low=low, high=high, spread=math.sqrt(tau2) if len(ordered) > 1 else None
    )


def same_set(proofs: Sequence[Measured]) -> Measured:
    """Several proofs of one set as one: the mean, each weighing as much as it is precise.

    Its error is the weighted mean of theirs, as if they were fully correlated: they rest on the same samples, so
    proving a set twice does not make it count more.
    """
    weights = [one.error**-2 for one in proofs]
    total = math.fsum(weights)
    return Measured(
        value=math.fsum(w * one.value for w, one in zip(weights, proofs, strict=True)) / total,
        error=math.fsum(w * one.error for w, one in zip(weights, proofs, strict=True)) / total,
    )


def paule_mandel(sets: Sequence[Measured]) -> float:
    """The variance between sets for which the weighted sum of squares is what it should be, k - 1; zero at least."""

    def excess(tau2: float) -> float:
        return _sum_of_squares(sets, tau2) - (len(sets) - 1)

    if len(sets) < 2 or excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, max(one.error**2 for one in sets)
    while excess(high) > 0:
        low, high = high, 2 * high
    while (middle := (low + high) / 2) not in (low, high):  # the sum falls as tau^2 grows, so halving finds it
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def hartung_knapp(sets: Sequence[Measured], tau2: float) -> tuple[float, float]:
    """The weighted mean and its standard error for t with k - 1 degrees of freedom; never below the usual error."""
    weights = [1 / (one.error**2 + tau2) for one in sets]
    total = math.fsum(weights)
    scale = _sum_of_squares(sets, tau2) / (len(sets) - 1) if len(sets) > 1 else 1.0
    return _mean(sets, tau2), math.sqrt(max(1.0, scale) / total)


def _mean(sets: Sequence[Measured], tau2: float) -> float:
    weights = [1 / (one.error**2 + tau2) for one in sets]
    return math.fsum(w * one.value for w, one in zip(weights, sets, strict=True)) / math.fsum(weights)


def _sum_of_squares(sets: Sequence[Measured], tau2: float) -> float:
    mean = _mean(sets, tau2)
    return math.fsum((one.value - mean) ** 2 / (one.error**2 + tau2) for one in sets)


def _quantile(freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + LEVEL) / 2))
