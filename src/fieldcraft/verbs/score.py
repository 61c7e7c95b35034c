"""Score: look at a finished run's test part again; the ledger counts it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import TypeAdapter

from fieldcraft.errors import DataError
from fieldcraft.prediction.bootstrap import intervals
from fieldcraft.prediction.metrics import Array
from fieldcraft.prediction.table import read_predictions
from fieldcraft.records.files import read_json
from fieldcraft.records.mask_results import MaskResults, mask_metrics
from fieldcraft.records.results import Estimate
from fieldcraft.verbs.ledger import Ledger
from fieldcraft.verbs.run import Run


@dataclass(frozen=True, kw_only=True)
class Score:
    """One more look."""

    look: int
    metrics: dict[str, Estimate]
    samples: int
    """Of the test part; an estimate counts groups where there are any."""


def score(run: str | Path, *, why: str = "fieldcraft score", command: Sequence[str] = ()) -> Score:
    """Metrics of the run's predictions for its test part, with 95 % intervals.

    Every look is logged in ledger.jsonl: choosing between runs by what is seen here makes the test part one more
    validation part. Raises: RunError when the run has no predictions; DataError when it has no test part.
    """
    found = Run(Path(run))
    if found.folder.masks.exists():
        return _of_masks(found, why, tuple(command))
    table = read_predictions(found.folder.predictions)
    test = table[table["part"] == "test"]
    if test.empty:
        raise DataError(f"the data of {run} has no test part.")
    number = Ledger(found.folder.ledger).look(why, tuple(command))
    spec = found.model.spec
    truth, scores = _truth_and_scores(test, spec.names, spec.task)
    sigma = np.array(spec.sigma) if spec.task == "regression" else None
    groups = test["group"].to_numpy(str) if "group" in test else None
    metrics = intervals(spec.task, truth, scores, groups, sigma, seed=found.plan.seed)
    return Score(look=number, metrics=metrics, samples=len(test))


def _of_masks(run: Run, why: str, command: tuple[str, ...]) -> Score:
    """Measures of the masks that were predicted for the test part."""
    kept = TypeAdapter(MaskResults).validate_python(read_json(run.folder.masks, "masks"))
    number = Ledger(run.folder.ledger).look(why, command)
    return Score(look=number, metrics=mask_metrics(kept), samples=len(kept.cases))


def _truth_and_scores(test: pd.DataFrame, names: tuple[str, ...], task: str) -> tuple[Array, Array]:
    if task == "single-label":
        index = {name: place for place, name in enumerate(names)}
        truth = np.array([index[str(name)] for name in test["truth"]])
        return truth, test[[f"p:{name}" for name in names]].to_numpy(np.float64)
    if task == "multi-label":
        truth = test[[f"truth:{name}" for name in names]].to_numpy(np.int64)
        return truth, test[[f"p:{name}" for name in names]].to_numpy(np.float64)
    if len(names) == 1:
        return test[["truth"]].to_numpy(np.float64), test[["prediction"]].to_numpy(np.float64)
    return test[[f"truth:{name}" for name in names]].to_numpy(np.float64), test[list(names)].to_numpy(np.float64)
