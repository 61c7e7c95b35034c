"""Samples for a quick look: as many of each class as there can be, and folds that keep groups whole."""

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]


def evened(strata: Codes, most: int, random: np.random.Generator) -> Codes:
    """Rows of at most `most` samples, ascending; no stratum has fewer than another unless all of it was taken.

    Strata are codes from 0. What cannot be shared out evenly goes to strata drawn by lot.
    """
    counts = np.bincount(strata)
    order = np.lexsort((random.random(len(strata)), strata))
    starts = np.cumsum(counts) - counts
    place = np.empty(len(strata), np.int64)
    place[order] = np.arange(len(strata)) - np.repeat(starts, counts)
    lot = random.permutation(len(counts))
    # Samples are called up in rounds, one a stratum in each.
    return np.sort(np.lexsort((lot[strata], place))[:most])


def whole_folds(strata: Codes, units: Codes, folds: int, random: np.random.Generator) -> Codes:
    """The fold of each sample: units whole, strata and sizes spread as evenly as dealing in turn makes them.

    Shape: (n,), (n,) -> (n,) codes from 0; `units` need not be without gaps. A unit of several strata counts as one of
    its first sample's.
    """
    _, first, unit, size = np.unique(units, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((random.random(len(first)), -size, strata[first]))
    fold = np.empty(len(first), np.int64)
    fold[order] = np.arange(len(first)) % folds
    return fold[unit]
