"""Fieldcraft as scikit-learn estimators: fit, predict, predict_proba, score, clone, pipelines, cross-validation."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import FieldcraftError, Stopped
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.model import Model
from fieldcraft.prediction.saved import load_model
from fieldcraft.records.facts import Task
from fieldcraft.verbs.fit import fit

TIMED = ("precision-and-layout", "one-thread")
"""Tips that look at the clock; they stay out where equal seeds must give equal models."""


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What both estimators share."""

    model_: Model

    def __init__(
        self,
        *,
        plan: Plan | Path | str | None = None,
        budget: str | float | None = None,
        out: str | Path | None = None,
        edits: Sequence[str] = (),
        without: Sequence[str] = (),
        seed: int = 0,
        evidence: bool = True,
    ) -> None:
        self.plan = plan
        self.budget = budget
        self.out = out
        self.edits = edits
        self.without = without
        self.seed = seed
        self.evidence = evidence

    def _fit(self, x: npt.NDArray[np.generic], y: npt.NDArray[np.generic], task: Task) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            try:
                run = fit(
                    (x, y),
                    self.plan,
                    budget=self.budget,
                    out=self.out or Path(scratch) / "run",
                    options=ReadOptions(task=task),
                    edits=self.edits,
                    without=(*self.without, *(TIMED if self.budget is None and self.plan is None else ())),
                    seed=self.seed,
                    evidence=self.evidence,
                )
            except Stopped as stopped:
                raise KeyboardInterrupt(str(stopped)) from stopped
            except FieldcraftError as error:
                raise ValueError(str(error)) from error
            self.model_ = load_model(run.path)

    def _checked(self, x: object) -> npt.NDArray[np.generic]:
        check_is_fitted(self)
        found: npt.NDArray[np.generic] = validate_data(self, x, reset=False, allow_nd=True, ensure_all_finite=True)
        return found


class FieldcraftClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A classifier whose `fit` is `fc.fit`.

    Parameters are those of `fc.fit`. `budget=None` decides nothing by the clock, so that equal seeds give equal models.
    X: (n, features), or images (n, height, width) or (n, height, width, channels).
    Hurts: with a budget in seconds, results depend on how fast the machine was.
    """

    def fit(self, X: object, y: object) -> "FieldcraftClassifier":
        """Train; ValueError says what is wrong with the data."""
        x, labels = validate_data(self, X, y, allow_nd=True, ensure_min_samples=2)
        check_classification_targets(labels)
        self.classes_, indices = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("the labels hold one class only: a classifier needs two or more classes.")
        self._fit(x, indices.astype(np.int64), "single-label")
        return self

    def predict_proba(self, X: object) -> npt.NDArray[np.float64]:
        """Calibrated probabilities, (n, classes) in the order of `classes_`."""
        x = self._checked(X)
        return self.model_.scores(x)

    def predict(self, X: object) -> npt.NDArray[np.generic]:
        """The most probable class of each sample."""
        best = self.predict_proba(X).argmax(axis=1)
        found: npt.NDArray[np.generic] = self.classes_[best]
        return found


class FieldcraftRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A regressor whose `fit` is `fc.fit`; see FieldcraftClassifier."""

    def fit(self, X: object, y: object) -> "FieldcraftRegressor":
        """Train; ValueError says what is wrong with the data."""
        x, values = validate_data(self, X, y, allow_nd=True, ensure_min_samples=2, y_numeric=True, multi_output=True)
        self._flat = values.ndim == 1
        self._fit(x, np.asarray(values, dtype=np.float64), "regression")
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: object) -> npt.NDArray[np.float64]:
        """Numbers in the units of the targets, (n,) or (n, targets)."""
        x = self._checked(X)
        found = self.model_.scores(x)
        return found[:, 0] if self._flat else found
