"""How candidates of one baseline are told apart while it is tuned: log-loss, or squared error."""

from typing import Any

import numpy as np

from fieldcraft.baselines.fitted import Features, Rows, class_shares
from fieldcraft.records.facts import Task

LEAST_PROBABILITY = 1e-7


def pick(targets: Rows, column: int | None) -> Rows:
    """One column of the targets, or all of them."""
    return targets if column is None else targets[:, column]


def one_class(targets: Rows, task: Task) -> bool:
    """Whether there is nothing to tell apart."""
    return task != "regression" and bool((targets == targets[0]).all())


def held_loss(estimator: Any, features: Features, targets: Rows, task: Task) -> float:
    """Nats a sample for classes, mean squared error for numbers; lower is better."""
    if task == "regression":
        predicted = np.asarray(estimator.predict(features), dtype=np.float64).reshape(targets.shape)
        return float(np.mean((predicted - targets.astype(np.float64)) ** 2))
    truth = targets.astype(np.int64)
    classes = int(max(truth.max(), np.max(estimator.classes_))) + 1
    right = class_shares(estimator, features, classes)[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(right, LEAST_PROBABILITY)).mean())
