"""On what a baseline is tuned: folds of a small training part, one held-out part of a large one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.baselines.fitted import Features, Rows
from fieldcraft.records.streams import stream_seed

Indices = npt.NDArray[np.int64]

FOLDS = 5
FITS_OF_FOLDS = FOLDS + 1
"""The folds, and the winner again on everything."""
CROSS_VALIDATED_ROWS = 5_000
CROSS_VALIDATED_CELLS = 2_000_000
HELD_OUT = 0.15


@dataclass(frozen=True, eq=False)
class Trial:
    """What one candidate is fitted on, and what it is judged on."""

    features: Features
    targets: Rows
    held_features: Features
    held_targets: Rows


@dataclass(frozen=True, eq=False)
class Trials:
    """The trials of a tuning."""

    trials: tuple[Trial, ...]
    fine: bool
    """Whether the samples are few enough to try many settings."""
    again: bool
    """Whether the winner is to be fitted again, on all training samples."""
    words: str

    def each_fold(self, losses: Sequence[Sequence[float]]) -> tuple[float, ...]:
        """The loss on each fold, the mean over estimators; empty where there are no folds, or one could not be used."""
        whole = len(self.trials) > 1 and all(len(one) == len(self.trials) for one in losses)
        found = np.mean(losses, axis=0) if whole else np.empty(0)
        return tuple(found.tolist()) if np.isfinite(found).all() else ()


def is_small(features: Features) -> bool:
    """Whether cross-validation is worth its price."""
    return len(features) <= CROSS_VALIDATED_ROWS and features.size <= CROSS_VALIDATED_CELLS


@dataclass(frozen=True, eq=False)
class Kept:
    """The samples that a baseline works on."""

    features: Features
    targets: Rows
    groups: Rows | None
    validation: tuple[Features, Rows] | None


def keep(
    features: Features,
    targets: Rows,
    groups: Rows | None,
    validation: tuple[Features, Rows] | None,
    size: int,
    seed: int,
) -> Kept:
    """`size` of the training samples; where no validation part is given, some of the others (of other groups) judge."""
    if size >= len(features):
        return Kept(features, targets, groups, validation)
    kept = subsample(targets, size, seed)
    if validation is None:
        free = np.ones(len(features), dtype=bool)
        free[kept] = False
        if groups is not None:
            free &= ~np.isin(groups, groups[kept])
        others = np.flatnonzero(free)
        if len(others):
            judges = others[subsample(targets[others], max(1, size // 4), seed)]
            validation = features[judges], targets[judges]
    return Kept(features[kept], targets[kept], None if groups is None else groups[kept], validation)


def make_trials(kept: Kept, *, cross_validate: bool, seed: int) -> Trials:
    """Cross-validate, or judge on the validation part, or, when there is none, on a fixed share of the training part.

    Groups stay in one fold.
    """
    features, targets = kept.features, kept.targets
    if not cross_validate and kept.validation is not None:
        held = Trial(features, targets, *kept.validation)
        return Trials((held,), False, False, f"tuned on {len(kept.validation[0]):,} validation samples")
    count = FOLDS if cross_validate else round(1 / HELD_OUT)
    trials = _split(features, targets, assign_folds(targets, kept.groups, count, seed), count if cross_validate else 1)
    if len(trials) > 1:
        return Trials(trials, True, True, f"tuned by {len(trials)}-fold cross-validation of the training part")
    held_out = sum(len(trial.held_features) for trial in trials)
    return Trials(trials, False, True, f"tuned on {held_out:,} held-out training samples")


def _split(features: Features, targets: Rows, fold: Indices, used: int) -> tuple[Trial, ...]:
    masks = [fold == number for number in range(used)]
    return tuple(
        Trial(features[~held], targets[~held], features[held], targets[held])
        for held in masks
        if held.any() and not held.all()
    )


def assign_folds(targets: Rows, groups: Rows | None, count: int, seed: int) -> Indices:
    """A fold for each sample: targets spread evenly (in order of the first target), groups kept whole."""
    first = targets if targets.ndim == 1 else targets[:, 0]
    names, member = np.unique(np.arange(len(first)) if groups is None else groups, return_inverse=True)
    mean = np.bincount(member, weights=first.astype(np.float64)) / np.bincount(member)
    shuffled = np.random.default_rng(stream_seed(seed, "baseline-folds")).permutation(len(names))
    order = np.lexsort((shuffled, mean))
    fold = np.empty(len(names), dtype=np.int64)
    fold[order] = np.arange(len(names)) % count
    return fold[member]


def subsample(targets: Rows, size: int, seed: int) -> Indices:
    """Sorted indices of `size` samples, the targets spread as in the whole (every class kept while there is room)."""
    n = len(targets)
    if size >= n:
        return np.arange(n)
    first = targets if targets.ndim == 1 else targets[:, 0]
    shuffled = np.random.default_rng(stream_seed(seed, "baseline-sample")).permutation(n)
    order = np.lexsort((shuffled, first))
    picked = order[np.linspace(0, n - 1, size).round().astype(np.int64)]
    return np.sort(picked)


def sample_words(size: int, n: int) -> str:
    """How much of the training part was used, for people."""
    return f"all {n:,} training samples" if size >= n else f"{size:,} of {n:,} training samples"
