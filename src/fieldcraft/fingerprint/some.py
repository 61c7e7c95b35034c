"""A few of the training samples, their targets spread as in the whole; and folds that keep groups whole."""

import numpy as np
import numpy.typing as npt

from fieldcraft.records.streams import stream_seed

Rows = npt.NDArray[np.int64]
Targets = npt.NDArray[np.generic]


def some(targets: Targets, most: int, seed: int, purpose: str) -> Rows:
    """Ascending rows of at most `most` samples, drawn evenly along the order of their (first) target."""
    count = len(targets)
    if count <= most:
        return np.arange(count)
    first = targets if targets.ndim == 1 else targets[:, 0]
    shuffled = np.random.default_rng(stream_seed(seed, "fingerprint", purpose)).permutation(count)
    order = np.lexsort((shuffled, first))
    return np.sort(order[((np.arange(most) + 0.5) * count / most).astype(np.int64)])


def folds(count: int, groups: npt.NDArray[np.generic] | None, parts: int, seed: int) -> Rows:
    """A part for each of `count` samples, at random; samples of one group share theirs."""
    names, member = np.unique(np.arange(count) if groups is None else groups, return_inverse=True)
    shuffled = np.random.default_rng(stream_seed(seed, "fingerprint", "folds")).permutation(len(names))
    return (shuffled % parts).astype(np.int64)[member]


def told(used: int, total: int, what: str = "training samples") -> str:
    """How many were looked at, for people."""
    return f"all {total:,} {what}" if used >= total else f"{used:,} of {total:,} {what}"
