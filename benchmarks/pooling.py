"""How often a mean over sets is wrong: random effects whose mean is zero, standard errors from few pairs.

Beside the interval that is used stands plain Hartung-Knapp, without the rule that it is never narrower than the usual
one. Made-up effects: sets spread by TAU noise deviations of a pair, and noise that differs between sets by a factor of
e^NOISE. Usage: python benchmarks/pooling.py [RUNS]
"""

import math
import sys
from itertools import product

import numpy as np
from scipy.special import stdtrit

from fieldcraft.proof.pooled import Measured, hartung_knapp, paule_mandel
from result import write

SETS, PAIRS, TAUS, NOISES = (5, 8, 10), (3, 5, 10), (0.0, 0.5, 2.0), (0.3, 1.0)


def made_up(rng: np.random.Generator, sets: int, pairs: int, tau: float, noise: float) -> list[Measured]:
    found = []
    for true, deviation in zip(rng.normal(0, tau, sets), np.exp(rng.normal(0, noise, sets)), strict=True):
        values = rng.normal(true, deviation, pairs)
        found.append(Measured(value=float(values.mean()), error=float(values.std(ddof=1)) / math.sqrt(pairs)))
    return found


def plain(sets: list[Measured], tau2: float, mean: float) -> float:
    """The error of Hartung and Knapp, whatever its scale."""
    weights = [1 / (one.error**2 + tau2) for one in sets]
    squares = sum(w * (one.value - mean) ** 2 for w, one in zip(weights, sets, strict=True))
    return math.sqrt(squares / (len(sets) - 1) / sum(weights))


def wrong(runs: int, sets: int, pairs: int, tau: float, noise: float) -> dict[str, dict[str, float]]:
    rng = np.random.default_rng([sets, pairs, int(10 * tau), int(10 * noise)])
    half = float(stdtrit(sets - 1, 0.975))
    below, covered = {"used": 0, "plain": 0}, {"used": 0, "plain": 0}
    for _ in range(runs):
        effects = made_up(rng, sets, pairs, tau, noise)
        tau2 = paule_mandel(effects)
        mean, used = hartung_knapp(effects, tau2)
        for name, error in (("used", used), ("plain", plain(effects, tau2, mean))):
            below[name] += mean + half * error < 0
            covered[name] += abs(mean) <= half * error
    return {
        name: {"upper_end_below_zero_%": 100 * below[name] / runs, "covers_zero_%": 100 * covered[name] / runs}
        for name in below
    }


def main(runs: int = 3000) -> None:
    cases = {
        f"{sets} sets, {pairs} pairs, tau {tau:g}, noise {noise:g}": wrong(runs, sets, pairs, tau, noise)
        for sets, pairs, tau, noise in product(SETS, PAIRS, TAUS, NOISES)
    }
    ends = {
        name: {
            figure: [min(one[name][figure] for one in cases.values()), max(one[name][figure] for one in cases.values())]
            for figure in ("upper_end_below_zero_%", "covers_zero_%")
        }
        for name in ("used", "plain")
    }
    error = 100 * math.sqrt(0.025 * 0.975 / runs)
    write(
        "pooling",
        "a mean of zero over sets: how often its 95 % interval lies below zero (wanted: 2.5 %), and covers it (95 %)",
        {"runs": runs, "monte_carlo_error_%": error, "range": ends, "cases": cases},
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
