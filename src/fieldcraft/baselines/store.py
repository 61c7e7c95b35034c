"""A baseline on disk: skops format, read back only when every type in it is on the list below."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import skops.io

from fieldcraft.baselines.fitted import Fitted, Kind
from fieldcraft.errors import RunError
from fieldcraft.records.facts import Task
from fieldcraft.records.files import write_whole
from fieldcraft.records.versions import bring_forward, stamp

NEEDS_TRUST = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
"""What skops does not know by itself."""

ALLOWED = frozenset(
    {
        "builtins.dict",
        "builtins.list",
        "builtins.str",
        "builtins.tuple",
        "numpy.float32",
        "numpy.float64",
        "numpy.int64",
        "numpy.ndarray",
        "numpy.random._generator.Generator",
        "numpy.uint64",
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss._loss.CyHalfMultinomialLoss",
        "sklearn._loss._loss.CyHalfSquaredError",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.link.MultinomialLogit",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfMultinomialLoss",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn.dummy.DummyClassifier",
        "sklearn.dummy.DummyRegressor",
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",
        *NEEDS_TRUST,
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.linear_model._ridge.Ridge",
        "sklearn.preprocessing._label.LabelEncoder",
    }
)
"""Every type that a file may name, as module.class."""


def save(fitted: Fitted, path: Path) -> None:
    """Write it whole.

    Raises: RunError when the folder cannot be written.
    """
    body: dict[str, object] = {
        "name": fitted.name,
        "task": fitted.task,
        "outputs": fitted.outputs,
        "sample": fitted.sample,
        "note": fitted.note,
        "estimator": list(fitted.estimator),
        "columns": list(fitted.columns),
    }
    write_whole(path, skops.io.dumps(stamp("baseline", body)))


def load(path: Path) -> Fitted:
    """Read a baseline; nothing is built before every type in the file was found on the list.

    Raises: RunError when the file is missing, damaged, or names any other type.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunError(f"{path} cannot be read ({error.strerror or error}): this is no complete run folder.") from error
    damaged = f"{path} is damaged or was not written by fieldcraft: run `fieldcraft fit` again to make it anew"
    try:
        strange = sorted(set(_types(content)) - ALLOWED)
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError) as error:
        raise RunError(f"{damaged} ({type(error).__name__}).") from error
    if strange:
        raise RunError(
            f"{path} names types that no baseline is made of ({', '.join(strange[:5])}), so it was not opened. "
            "Use a file that `fieldcraft fit` wrote on a machine that you trust."
        )
    try:
        document = skops.io.loads(content, trusted=list(NEEDS_TRUST))
    except Exception as error:  # skops raises whatever the types that it builds raise
        raise RunError(f"{damaged} ({type(error).__name__}: {error}).") from error
    if not isinstance(document, dict):
        raise RunError(f"{damaged}.")
    return _fitted(bring_forward("baseline", document, str(path)), damaged)


def _fitted(document: dict[str, Any], damaged: str) -> Fitted:
    estimators, columns = document.get("estimator"), document.get("columns")
    if (
        set(document) != {"name", "task", "outputs", "sample", "note", "estimator", "columns"}
        or document["name"] not in get_args(Kind)
        or document["task"] not in get_args(Task)
        or not isinstance(estimators, list)
        or not all(hasattr(one, "predict") for one in estimators)
        or not isinstance(columns, list)
        or not all(isinstance(one, int) for one in columns)
    ):
        raise RunError(f"{damaged}.")
    return Fitted(**{**document, "estimator": tuple(estimators), "columns": tuple(columns)})


def _types(content: bytes) -> Iterator[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pending: list[object] = [json.loads(archive.read("schema.json"))]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if "__class__" in node or "__module__" in node:
                yield f"{node.get('__module__')}.{node.get('__class__')}"
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
