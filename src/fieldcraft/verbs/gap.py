"""The gap: a network on samples that it learnt from, and on samples that it did not."""

from math import hypot

import numpy as np

from fieldcraft.data.order import Rows
from fieldcraft.prediction.bootstrap import intervals
from fieldcraft.prediction.calibration import apply
from fieldcraft.prediction.metrics import Array, Truth, score
from fieldcraft.records.facts import Task
from fieldcraft.records.training import Gap
from fieldcraft.verbs.samples import Samples

MOST = 2_000
REPEATS = 200
DEVIATIONS = 2 * 1.96
"""Between the ends of a 95 % interval."""


def some_training_rows(samples: Samples) -> Rows:
    """As many training samples as validation has, evenly spaced, at most 2,000."""
    train = samples.parts.train
    count = min(len(train), max(1, len(samples.parts.validation)), MOST)
    return np.sort(train)[np.linspace(0, len(train) - 1, count).round().astype(np.int64)]


def gap(metric: str, task: Task, training: tuple[Truth, Array], validation: tuple[Truth, Array]) -> Gap | None:
    """From truth and raw outputs of both parts; None where the metric is not defined on one of them."""
    values, errors = [], []
    for truth, outputs in (training, validation):
        scores = apply(outputs, 1.0, task)
        value = score(metric, task, truth, scores)
        spread = intervals(task, truth, scores, repeats=REPEATS).get(metric)
        if spread is None or not np.isfinite(value):
            return None
        values.append(value)
        errors.append((spread.high - spread.low) / DEVIATIONS)
    return Gap(
        training=values[0], validation=values[1], noise=hypot(*errors), validation_noise=errors[1]
    )  # fmt: skip
