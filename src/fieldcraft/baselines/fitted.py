"""A fitted baseline: scores in one convention, whatever estimator is behind it."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from fieldcraft.errors import DataError, PlanError
from fieldcraft.records.facts import Task

Kind = Literal["majority", "linear", "boosting"]
Floats = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
Rows = npt.NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A baseline that was fitted.

    `estimator`: scikit-learn estimators; one for single-label, one a label for multi-label; for regression one for all
    targets, or one a target.
    """

    name: Kind
    estimator: tuple[Any, ...]
    sample: str
    """What it was fitted on: "all 1,149 training samples", "6,000 of 60,000 training samples"."""
    note: str
    """How it was tuned, and anything unusual."""
    task: Task
    outputs: int
    columns: tuple[int, ...] = ()
    """Of the features, those that it looks at, where there was no time for all; empty: all."""
    folds: tuple[float, ...] = ()
    """Log-loss or squared error on each fold of the training part at the chosen setting (mean over labels or targets
    that have an estimator each); empty where it was not cross-validated. Not kept with the model."""

    def scores(self, features: Features) -> Floats:
        """Probabilities (n, classes) or (n, labels), or predictions (n, targets) in the targets' units.

        A class that was absent from the samples it was fitted on has probability 0.
        """
        wanted = getattr(self.estimator[0], "n_features_in_", None)
        if self.columns and features.ndim == 2 and features.shape[1] > self.columns[-1]:
            features = features[:, list(self.columns)]
        if features.ndim != 2 or (wanted is not None and features.shape[1] != wanted):
            among = f" out of at least {self.columns[-1] + 1:,}" if self.columns else ""
            raise DataError(
                f"the {self.name} baseline was fitted on {wanted} features a sample{among}, but got an array of shape "
                f"{features.shape}. Encode the samples the way the training data was encoded."
            )
        if self.task == "regression":
            exact = features.astype(np.float64)  # single precision rounds by the size of the batch
            columns = [np.asarray(one.predict(exact), dtype=np.float64) for one in self.estimator]
            return np.column_stack(columns).reshape(len(features), self.outputs)
        if self.task == "multi-label":
            return np.column_stack([class_shares(one, features, 2)[:, 1] for one in self.estimator])
        return class_shares(self.estimator[0], features, self.outputs)


def of_samples(name: str) -> Kind:
    """The baseline of that name, for samples with one answer each.

    Raises: PlanError when it is one for masks, or none.
    """
    for kind in get_args(Kind):
        if name == kind:
            found: Kind = kind
            return found
    raise PlanError(f"the baseline {name} is for images with masks: ladder.baselines here are {get_args(Kind)}.")


def class_shares(classifier: Any, features: Features, classes: int) -> Floats:
    """Probabilities (n, classes) of a classifier that may have seen only some of the classes 0..classes-1."""
    probabilities = np.zeros((len(features), classes))
    probabilities[:, np.asarray(classifier.classes_, dtype=np.int64)] = classifier.predict_proba(features)
    return probabilities
