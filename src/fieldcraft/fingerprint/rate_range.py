"""Learning-rate range test: short runs whose rate grows, and what they say about the peak rate, with an interval."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log, sqrt
from statistics import fmean, stdev

from scipy.stats import t as student

KEPT = 0.9
"""Share of the running mean of the loss kept at each step."""
DIVERGED = 4.0
"""Times its lowest value so far, of the running mean: the run has left."""
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A peak rate and how sure it is."""

    rate: float
    """Geometric mean over the runs."""
    low: float
    high: float
    """Ends of the 95 % interval (Student's, on the logarithm)."""
    runs: int
    steps: int
    """Of each run."""


def growing(low: float, high: float, steps: int) -> tuple[float, ...]:
    """Rates from `low` to `high`, each the same factor above the one before.

    Raises: ValueError unless 0 < low < high and there are two steps or more.
    """
    if not 0 < low < high or steps < 2:
        raise ValueError(f"`0 < low < high` and `steps >= 2` must hold, but got {low=}, {high=}, {steps=}.")
    return tuple(low * (high / low) ** (step / (steps - 1)) for step in range(steps))


def run(step: Callable[[float], float], rates: Sequence[float]) -> tuple[float, ...]:
    """The running mean of the loss (bias taken out) at each rate; ends where it is no number or has left.

    `step` takes one training step at a rate and gives the loss before it.
    """
    found: list[float] = []
    kept = 0.0
    for count, rate in enumerate(rates, 1):
        loss = step(rate)
        kept = KEPT * kept + (1 - KEPT) * loss
        smooth = kept / (1 - KEPT**count)
        if not isfinite(smooth) or (found and smooth > DIVERGED * max(min(found), 1e-12)):
            break
        found.append(smooth)
    return tuple(found)


def steepest(rates: Sequence[float], losses: Sequence[float]) -> float | None:
    """The rate at which the running mean falls fastest per factor of the rate; None when it never falls.

    The slope is taken over a fifth of the run, so that a single batch does not decide.
    """
    span = max(1, len(rates) // 5)
    slopes = [losses[place] - losses[place + span] for place in range(len(losses) - span)]
    if not slopes or max(slopes) <= 0:
        return None
    place = slopes.index(max(slopes))
    return sqrt(rates[place] * rates[place + span])


def suggestion(rates: Sequence[float], runs: Sequence[Sequence[float]]) -> Suggestion | None:
    """What several runs over the same rates say together; None when fewer than two of them fell.

    Source: Smith 2017, "Cyclical learning rates", arXiv:1506.01186, section 3.3; the repeats and their interval are
    this project's.
    """
    found = [log(rate) for losses in runs if (rate := steepest(rates, losses)) is not None]
    if len(found) < 2:
        return None
    middle = fmean(found)
    half = float(student.ppf((1 + CONFIDENCE) / 2, len(found) - 1)) * stdev(found) / sqrt(len(found))
    # A run knows its rate no better than the span over which its slope was taken.
    half = max(half, log(rates[-1] / rates[0]) / 10)
    return Suggestion(
        rate=exp(middle), low=exp(middle - half), high=exp(middle + half), runs=len(found), steps=len(rates)
    )
