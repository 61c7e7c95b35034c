"""Leaks: inputs that give the target away by themselves.

Each column alone predicts by its nearest values in the training part: their commonest class, or their mean. What that
gets right on validation, beside the best constant, shows columns that were filled in after the outcome.
Source: Kaufman et al. 2012, "Leakage in data mining", ACM TKDD 6(4).
"""

from collections.abc import Callable, Sequence
from time import monotonic

import numpy as np
import numpy.typing as npt

from fieldcraft.records.training import Leak

NEAREST = 5
"""Training samples of the nearest values that answer together."""
SHOWN = 3

Columns = npt.NDArray[np.float32]
Values = npt.NDArray[np.generic]


def leaks(
    train: Columns,
    target: Values,
    validation: Columns,
    truth: Values,
    names: Sequence[str],
    *,
    limit_s: float = float("inf"),
    clock: Callable[[], float] = monotonic,
) -> tuple[Leak, ...]:
    """The columns that predict best by themselves, best first; no further column is begun after `limit_s` seconds.

    Shape: (n, d), (n,), (m, d), (m,), d names. Whole targets are classes, others are numbers. Cost: (n + m) log n and
    n times the classes, a column.
    """
    began = clock()
    classes = np.issubdtype(target.dtype, np.integer)
    marks = np.eye(int(target.max()) + 1)[target.astype(np.int64)] if classes else target.astype(np.float64)[:, None]
    chance = _score(np.tile(marks.mean(0), (len(truth), 1)), truth, classes)
    found = []
    for place, name in enumerate(names):
        if clock() - began >= limit_s:
            break
        answers = _nearest(train[:, place], marks, validation[:, place])
        found.append(Leak(column=name, score=_score(answers, truth, classes), chance=chance))
    return tuple(sorted(found, key=lambda leak: -leak.score)[:SHOWN])


def _nearest(values: Columns, marks: npt.NDArray[np.float64], asked: Columns) -> npt.NDArray[np.float64]:
    """Mean mark of the training samples next to each asked value, in the order of the values."""
    order = values.argsort(kind="stable")
    known = values[order]
    sums = np.concatenate([np.zeros((1, marks.shape[1])), marks[order].cumsum(0)])
    left, right = np.searchsorted(known, asked, "left"), np.searchsorted(known, asked, "right")
    below, above = np.clip(left - 1, 0, None), np.clip(right, None, len(known) - 1)
    nearer = np.where(asked - known[below] <= known[above] - asked, below, above)
    middle = np.where(right > left, (left + right) // 2, nearer)
    count = min(NEAREST, len(values))
    first = np.clip(middle - count // 2, 0, len(values) - count)
    means: npt.NDArray[np.float64] = (sums[first + count] - sums[first]) / count
    return means


def _score(answers: npt.NDArray[np.float64], truth: Values, classes: bool) -> float:
    """Accuracy, or the share of the variance that is explained."""
    if classes:
        return float((answers.argmax(1) == truth).mean())
    wanted = truth.astype(np.float64)
    spread = float(((wanted - wanted.mean()) ** 2).sum())
    return 1 - float(((wanted - answers[:, 0]) ** 2).sum()) / spread if spread > 0 else 0.0
