"""Drawing a share of samples: stratified, by whole groups, or the latest."""

import numpy as np
import numpy.typing as npt

from fieldcraft.data.dataset import Targets

BINS = 10
"""Strata of a number to be predicted: its deciles."""

Chosen = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]


def strata_of(targets: Targets, rows: Codes) -> Codes:
    """What is to be spread evenly: classes; each sample's rarest label or class; deciles of the first target.

    Shape: (rows,), codes from 0 without gaps.
    """
    values = targets.values[rows].astype(np.float64)
    if targets.task == "single-label":
        codes = values.astype(np.int64)
    elif targets.task in ("multi-label", "segmentation"):
        order = np.argsort((values == 1).sum(axis=0), kind="stable")
        positive = values[:, order] == 1
        codes = np.where(positive.any(axis=1), positive.argmax(axis=1), len(order))
    else:
        ranks = np.argsort(np.argsort(values[:, 0], kind="stable"), kind="stable")
        codes = ranks * max(1, min(BINS, len(rows) // BINS)) // len(rows)
    dense: Codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
    return dense


def draw_stratified(strata: Codes, wanted: int, random: np.random.Generator) -> Chosen:
    """`wanted` samples, from each stratum its share rounded up or down; at least one of each stays behind.

    Shares are rounded by largest remainder, ties by lot.
    """
    counts = np.bincount(strata)
    exact = counts * (wanted / len(strata))
    quota = np.minimum(np.floor(exact).astype(np.int64), counts - 1)
    lot = random.random(len(counts))
    for stratum in np.lexsort((lot, quota - exact)):
        if quota.sum() >= wanted:
            break
        if quota[stratum] < counts[stratum] - 1 and quota[stratum] < exact[stratum]:
            quota[stratum] += 1
    # Place of each sample within its own stratum, in random order.
    order = np.lexsort((random.random(len(strata)), strata))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    place = np.empty(len(strata), np.int64)
    place[order] = np.arange(len(strata)) - np.repeat(starts, counts)
    chosen: Chosen = place < quota[strata]
    return chosen


def draw_groups(strata: Codes, groups: Codes, share: float, random: np.random.Generator) -> Chosen:
    """Whole groups, greedily from large to small, whenever one brings the strata's counts nearer to their share.

    Groups of one size come in random order. A group that holds the last samples of a stratum stays behind.
    """
    number = int(groups.max()) + 1
    table = np.zeros((number, int(strata.max()) + 1), np.int64)
    np.add.at(table, (groups, strata), 1)
    total = table.sum(axis=0)
    wanted = share * total
    # Rare strata weigh as much as frequent ones.
    weight = 1 / total
    taken = np.zeros_like(total)
    chosen = np.zeros(number, np.bool_)

    def gain(group: int) -> float:
        before, after = (taken - wanted) * weight, (taken + table[group] - wanted) * weight
        return float(before @ before - after @ after)

    order = np.lexsort((random.random(number), -table.sum(axis=1)))
    for group in order:
        if (taken + table[group] < total).all() and gain(group) > 0:
            taken += table[group]
            chosen[group] = True
    if not chosen.any():
        # Every group is too large for the share: the one that misses it least.
        fitting = [group for group in order if (table[group] < total).all()]
        chosen[max(fitting, key=gain, default=slice(0))] = True
    return chosen[groups]


def draw_latest(times: npt.NDArray[np.datetime64], groups: Codes | None, wanted: int) -> Chosen:
    """The latest samples, about `wanted`; those of one moment, or of one group (at its latest), go together."""
    moments = np.unique(times, return_inverse=True)[1]
    if groups is not None:
        latest = np.zeros(int(groups.max()) + 1, np.int64)
        np.maximum.at(latest, groups, moments)
        moments = np.unique(latest[groups], return_inverse=True)[1]
    later = np.cumsum(np.bincount(moments)[::-1])[::-1]
    # later[m]: samples from moment m on; the first moment always stays behind.
    cut = 1 + int(np.argmin(np.abs(later[1:] - wanted))) if len(later) > 1 else 1
    return moments >= cut
