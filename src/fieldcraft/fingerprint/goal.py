"""What a linear probe is to say of each sample, and how right it was: classes, labels or numbers alike."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Goal:
    """The targets of n samples as a least-squares model takes them, and the score of what it says."""

    measure: str
    """What the mean score is called."""
    encoded: Tensor
    """float32 (n, k)."""
    score: Callable[[Tensor], Tensor]
    """What was said (n, k) -> (n,): 1 for a right class; the share of right labels; for numbers, one minus the squared
    error in variances, whose mean is R2."""
    guess: Tensor
    """(n,): score of the most frequent class or labels, or of the mean."""


def goal_of(labels: npt.NDArray[np.generic]) -> Goal:
    """int64 (n,) are classes; (n, k) of nothing but 0 and 1 are labels; others, (n,) or (n, k), are numbers."""
    if np.issubdtype(labels.dtype, np.integer) and labels.ndim == 1:
        return _classes(torch.from_numpy(np.unique(labels, return_inverse=True)[1]))
    values = torch.from_numpy(labels.reshape(len(labels), -1).astype(np.float32))
    return _labels(values) if ((values == 0) | (values == 1)).all() else _numbers(values)


def _classes(classes: Tensor) -> Goal:
    counts = torch.bincount(classes)
    return Goal(
        measure="accuracy",
        encoded=torch.nn.functional.one_hot(classes, len(counts)).float(),
        score=lambda said: (said.argmax(dim=1) == classes).float(),
        guess=(classes == counts.argmax()).float(),
    )


def _labels(values: Tensor) -> Goal:
    on = values > 0.5

    def score(said: Tensor) -> Tensor:
        return ((said > 0.5) == on).float().mean(dim=1)

    guess = score(values.mean(dim=0).expand_as(values))
    return Goal(measure="share of right labels", encoded=values, score=score, guess=guess)


def _numbers(values: Tensor) -> Goal:
    encoded = (values - values.mean(dim=0)) / values.std(dim=0, correction=0).clamp(min=1e-12)

    def score(said: Tensor) -> Tensor:
        return 1 - (said - encoded).square().mean(dim=1)

    return Goal(measure="R2", encoded=encoded, score=score, guess=score(torch.zeros_like(encoded)))
