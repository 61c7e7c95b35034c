"""What it would take: further pairs for a word, and how many words so many pairs can be expected to give."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import takewhile

import numpy as np
from scipy.special import ndtr

from fieldcraft.proof.interval import half_width
from fieldcraft.proof.looks import last_look, looks
from fieldcraft.proof.rules import Rules

MOST_PAIRS = 1_024
"""Looks beyond are not considered: nobody trains so many for one factor."""
LIKELY = 0.5
PATHS = 2_000
"""Simulated proofs behind a chance of being decided: its error is at most 0.011."""


@lru_cache(maxsize=4096)
def further_pairs(value: float, spread: float, pairs: int, rules: Rules) -> int | None:
    """Pairs that are still missing at the first look that decides more likely than not; None where none would.

    `value`, `spread`: mean and standard deviation of the differences of the `pairs` seen so far. Taken for granted
    that both stay as they are, apart from the noise of the pairs to come.
    """
    for look in takewhile(lambda look: look <= MOST_PAIRS, looks()):
        if look > pairs and _chance_at(look, value, spread, pairs, rules) >= LIKELY:
            return look - pairs
    return None


def _chance_at(look: int, value: float, spread: float, pairs: int, rules: Rules) -> float:
    """Chance that the interval of a later look gives a word."""
    half = half_width(look, rules) * spread
    noise = max(spread * (look - pairs) ** 0.5 / look, 1e-300)
    away = max(half, rules.margin)
    beyond = ndtr((value - away) / noise) + ndtr((-away - value) / noise)
    room = rules.margin - half
    within = ndtr((room - value) / noise) - ndtr((-room - value) / noise) if room > 0 else 0.0
    return float(beyond + within)


def chance_decided(effect: float, noise: float, pairs: int, rules: Rules, seed: int = 0) -> float:
    """Chance that a factor is decided at one of the looks until so many pairs, paid, hurt or of no effect that matters.

    `effect`, `noise`: mean and standard deviation of the differences of pairs, taken for normal; with an overlap they
    err together as Nadeau and Bengio have it. Simulated, with a standard error of at most 0.011.
    """
    last = last_look(pairs)
    if not last:
        return 0.0
    drawn = np.random.default_rng(seed)
    together = rules.overlap**0.5 * drawn.standard_normal((PATHS, 1))
    differences = effect + noise * (together + drawn.standard_normal((PATHS, last)))
    decided = np.zeros(PATHS, dtype=bool)
    for look in takewhile(lambda look: look <= last, looks()):
        seen = differences[:, :look]
        value = np.abs(seen.mean(axis=1))
        spread = np.maximum(seen.std(axis=1, ddof=1), rules.least)
        half = half_width(look, rules) * spread
        decided |= (value > half) & (value >= rules.margin) | (value + half <= rules.margin)
    return float(decided.mean())


def expected_decided(effects: Sequence[float], noises: Sequence[float], pairs: int, rules: Rules) -> float:
    """How many of these factors so many pairs each can be expected to decide.

    Effects as they were seen are further from nought than the true ones, so that this promises rather too much.
    """
    chances = [
        chance_decided(effect, noise, pairs, rules, seed)
        for seed, (effect, noise) in enumerate(zip(effects, noises, strict=True))
    ]
    return sum(chances)
