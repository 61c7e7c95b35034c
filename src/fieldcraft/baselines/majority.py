"""Majority: class shares, or the mean, whatever the sample looks like. The least that anything must beat."""

from sklearn.dummy import DummyClassifier, DummyRegressor

from fieldcraft.baselines.fitted import Features, Fitted, Rows
from fieldcraft.baselines.folds import sample_words
from fieldcraft.records.facts import Task


def fit_majority(features: Features, targets: Rows, task: Task, outputs: int) -> Fitted:
    """Fit on everything; takes no time worth mentioning."""
    if task == "regression":
        estimators: tuple[object, ...] = (DummyRegressor(strategy="mean").fit(features, targets),)
        note = "the mean of the training part"
    elif task == "multi-label":
        estimators = tuple(DummyClassifier(strategy="prior").fit(features, targets[:, i]) for i in range(outputs))
        note = "the share of each label in the training part"
    else:
        estimators = (DummyClassifier(strategy="prior").fit(features, targets),)
        note = "the share of each class in the training part"
    return Fitted("majority", estimators, sample_words(len(features), len(features)), note, task, outputs)
