"""Permutation importance: how much worse the metric gets when one source of information is shuffled.

Hurts: correlated columns stand in for each other, so each of them can look unimportant.
Source: Breiman 2001, Random Forests, section 10; Fisher et al. 2019, arXiv:1801.01489.
"""

import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from fieldcraft.records.results import Importance
from fieldcraft.records.streams import stream_seed


def permutation_importance(
    score_of: Callable[[npt.NDArray[np.float32]], float],
    features: npt.NDArray[np.float32],
    groups: Sequence[tuple[str, Sequence[int]]],
    *,
    higher_is_better: bool,
    repeats: int = 5,
    seed: int = 0,
    limit_s: float = float("inf"),
) -> tuple[Importance, ...]:
    """Loss of the metric for each named group of columns, which are shuffled together; the largest first.

    Stops at `limit_s` with the groups that it has reached, the last one perhaps with fewer repeats.
    """
    began = time.monotonic()
    whole, sign = score_of(features), 1 if higher_is_better else -1
    found = []
    for name, columns in groups:
        if time.monotonic() - began > limit_s:
            break
        losses: list[float] = []
        for repeat in range(repeats):
            if losses and time.monotonic() - began > limit_s:
                break
            rng = np.random.default_rng(stream_seed(seed, "importance", name, repeat))
            shuffled = features.copy()
            shuffled[:, list(columns)] = features[rng.permutation(len(features))][:, list(columns)]
            losses.append(sign * (whole - score_of(shuffled)))
        found.append(Importance(name=name, loss=float(np.mean(losses)), spread=float(np.std(losses))))
    return tuple(sorted(found, key=lambda one: -one.loss))
