"""The floor of the risk: how often labels disagree with a probe where it is most certain."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtri

Array = npt.NDArray[np.float64]

BINS = 40
FLOORS = np.linspace(0.0, 0.8, 161)[:, None, None]
RISES = np.linspace(0.0, 1.0, 41)[None, :, None]
BENDS = np.geomspace(0.5, 8.0, 17)[None, None, :]
TIES = np.linspace(0.0, 4.0, 21)[:, None, None]
SLOPES = np.geomspace(0.05, 20.0, 60)[None, :, None]
HALF_WIDTH_95 = 1.92
"""Of a log-likelihood: half of the 95 % point of chi-squared with one degree of freedom."""


@dataclass(frozen=True)
class Floor:
    """A share of disagreement that no certainty removes, and its 95 % interval."""

    value: float
    low: float
    high: float


def floor_of_risk(certainty: Array, wrong: Array) -> Floor:
    """The share of wrong answers in the limit of full certainty, by profile likelihood.

    Samples are ranked by the certainty of a probe that has not seen them, q from 0 (most) to 1. Answers are wrong with
    the chance floor + (1 - floor) * rise * q ** bend: difficulty fades towards q = 0, flipped labels do not. Beside it
    stands difficulty alone, for overlapping classes: a chance that is logistic in the normal score of the certainty, or
    in its square, from a half or more down to none. Where that explains the answers as well, the interval reaches down
    to 0: it cannot be told.

    `certainty`: (n,), any monotone scale. `wrong`: (n,) of 0 and 1.
    Hurts: classes that overlap broadly can read as a few per cent of noise (made-up Gaussians with 20 % error: 3 to 4,
    the interval's lower end up to 2.5); labels that are wrong only where the samples are hard look like difficulty and
    are not counted; copies of a sample that share its wrong label make it look right, unless they share a group.
    Source: the idea that the most certain samples show the noise: Patrini et al. 2017, arXiv:1609.03683, section 4.
    """
    order = np.argsort(-certainty, kind="stable")
    pieces = np.array_split(wrong[order], min(BINS, len(wrong)))
    sizes, hits = np.array([float(len(piece)) for piece in pieces]), np.array([float(piece.sum()) for piece in pieces])
    rank = (np.cumsum(sizes) - sizes / 2) / len(wrong)
    likelihood = np.zeros((FLOORS.shape[0], RISES.shape[1], BENDS.shape[2]))
    for place, size, hit in zip(rank, sizes, hits, strict=True):
        likelihood += _likelihood(FLOORS + (1 - FLOORS) * RISES * place**BENDS, size, hit)
    profile = likelihood.max(axis=(1, 2))
    score = ndtri(1 - rank / 2)
    alone = max(_difficulty_alone(score**power, sizes, hits) for power in (1, 2))
    profile[0] = max(profile[0], min(alone, profile.max()))  # it may explain as much, but never rules noise out
    inside = FLOORS.ravel()[profile >= profile.max() - HALF_WIDTH_95]
    return Floor(float(FLOORS.ravel()[profile.argmax()]), float(inside.min()), float(inside.max()))


def _likelihood(chance: Array, size: Array, hits: Array) -> Array:
    kept = np.clip(chance, 1e-4, 1 - 1e-4)
    return np.asarray(hits * np.log(kept) + (size - hits) * np.log1p(-kept))


def _difficulty_alone(score: Array, sizes: Array, hits: Array) -> float:
    """The largest likelihood of a chance that is logistic in a score, and one half or more where the score is 0: the
    least certain samples lie between two classes.
    """
    chance = expit(TIES - SLOPES * score)
    return float(_likelihood(chance, sizes, hits).sum(axis=2).max())
