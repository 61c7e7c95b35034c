"""Test samples that look unlike the training ones: can a classifier tell the two parts apart?

The null: it cannot, and each answer on held-out samples is right with probability one half (binomial; an equal number
of both parts is held out). Groups and near copies on both sides make the null too narrow: small effects are not told.
Source: Lopez-Paz and Oquab 2017, Revisiting classifier two-sample tests, arXiv:1610.06545.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from fieldcraft.data.audit.seen import Seen
from fieldcraft.data.audit.small_copies import SmallCopies
from fieldcraft.data.dataset import Table
from fieldcraft.records.audit import Complaint
from fieldcraft.records.streams import stream_seed

EACH = 1000
"""Samples of either part at most; half of them teach, half of them judge."""
LEAST = 30
SURE = 0.001
"""Probability under the null."""
TELLING = 0.6
"""Share of right answers below which a difference is not worth a word."""
NAMED = 50


def shift(seen: Seen) -> tuple[Complaint, ...]:
    """Whether given training and test samples can be told apart by small copies or by columns; and which the most."""
    given = seen.dataset.given
    if given is None or seen.deadline.over():
        return ()
    read = seen.rows_read
    parts = [read[given[read] == name] for name in ("train", "test")]
    each = min(EACH, *(len(rows) for rows in parts))
    if each < LEAST:
        return ()
    random = np.random.default_rng(stream_seed(0, "audit", "shift"))
    train, test = (random.choice(rows, each, replace=False) for rows in parts)
    copies = seen.copies
    if isinstance(seen.dataset.inputs, Table):
        features = columns(seen.dataset.inputs)
    else:
        assert copies is not None
        features = looks(copies)
    hits, judged, scores = told_apart(features[train], features[test])
    from scipy.stats import binomtest

    p = float(binomtest(hits, judged, 0.5, alternative="greater").pvalue)
    if p >= SURE or hits / judged < TELLING:
        return ()
    held = test[each // 2 :]
    order = np.argsort(-scores, kind="stable")[:NAMED]
    return (
        Complaint(
            kind="shift",
            severity="warn",
            reason=f"test samples look unlike the training ones: a classifier tells {hits:,} of {judged:,} held-out "
            f"samples apart ({hits / judged:.0%}; by chance 50 %, p = {p:.1g}), so the result may not hold for either",
            samples=seen.names(held[order]),
            details=tuple(f"test with probability {scores[place]:.2f}" for place in order),
        ),
    )


def told_apart(
    train: npt.NDArray[np.float64], test: npt.NDArray[np.float64]
) -> tuple[int, int, npt.NDArray[np.float64]]:
    """Boosted trees learn from the first half of each; right answers on the second halves, their number, and the
    probability of being from the test part of each held-out test sample.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    half = len(train) // 2
    learn, judge = np.concatenate([train[:half], test[:half]]), np.concatenate([train[half:], test[half:]])
    truth = np.repeat([0, 1], half)
    with threadpool_limits(limits=1):
        model = HistGradientBoostingClassifier(
            max_iter=50, max_leaf_nodes=8, max_bins=64, min_samples_leaf=max(2, min(20, half // 10)), random_state=0
        ).fit(learn, truth)
        scores: npt.NDArray[np.float64] = model.predict_proba(judge)[:, 1]
    held = len(train) - half
    right = (scores > 0.5) == np.repeat([False, True], held)
    return int(right.sum()), len(right), scores[held:]


def looks(copies: SmallCopies) -> npt.NDArray[np.float64]:
    """(n, features): cells of the small copy, means of the channels, deviation, and detail between neighbours."""
    gray = copies.gray.astype(np.float64)
    cells = gray[:, :: max(1, gray.shape[1] // 8), :: max(1, gray.shape[2] // 8)].reshape(len(gray), -1)
    detail = np.abs(np.diff(gray, axis=2)).mean(axis=(1, 2)) if gray.shape[2] > 1 else np.zeros(len(gray))
    return np.column_stack([cells, copies.mean, gray.std(axis=(1, 2)), detail])


def columns(table: Table) -> npt.NDArray[np.float64]:
    """(n, columns): numbers as they are, categories numbered by how often they occur; NaN where a value is missing."""
    found = [np.zeros(len(table.frame))]
    for name, role in table.roles:
        column = table.frame[name]
        if role == "numeric":
            values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
            found.append(np.where(np.isinf(values), np.nan, values))
        elif role == "categorical":
            text = column.astype("string")
            place = {value: at for at, value in enumerate(text.value_counts().index)}
            found.append(text.map(place).to_numpy(dtype=np.float64, na_value=np.nan))
    return np.column_stack(found)
