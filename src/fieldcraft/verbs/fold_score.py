"""What a fold says of a trained network: the plan's metric, and what each block of samples did to it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.build.metric import build_metric
from fieldcraft.data.dataset import Dataset
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.calibration import apply, fit_temperature
from fieldcraft.prediction.jackknife import influence
from fieldcraft.prediction.metrics import score
from fieldcraft.proof.common_error import BLOCKS
from fieldcraft.verbs.rung import TrainedNetwork
from fieldcraft.verbs.samples import Samples

DIVERGED = "its predictions are no numbers: the network has diverged"


@dataclass(frozen=True, kw_only=True)
class FoldScore:
    """What a fold says of a trained network."""

    value: float | None = None
    problem: str = ""
    """Why there is no value."""
    blocks: npt.NDArray[np.float64] | None = None
    """What each block of samples did to the value; None where that is not asked, or cannot be said."""
    latency_ms: float | None = None
    """Median time of the prediction of a sample; None where that was not taken on the way."""


def fold_score(
    plan: Plan, samples: Samples, trained: TrainedNetwork, block: npt.NDArray[np.intp] | None = None
) -> FoldScore:
    """The plan's metric on the fold, or why there is none. `block`: that each sample of the data set belongs to."""
    found = trained.says(samples.parts.test, exact=True)
    if not np.isfinite(found).all():
        return FoldScore(problem=DIVERGED)
    metric, task, truth = plan.task.metric, plan.task.kind, samples.truth("test")
    scores = apply(found, temperature_of(plan, samples, trained), task)
    name = metric if isinstance(metric, str) else metric.target
    value = score(metric, task, truth, scores) if isinstance(metric, str) else build_metric(metric)(truth, scores)
    if not np.isfinite(value):
        return FoldScore(
            problem=f"{name} is no number on a fold of {len(truth):,} samples: it may hold one class only. Choose "
            "another metric (--metric accuracy), or give more samples."
        )
    if block is None or not isinstance(metric, str):
        return FoldScore(value=float(value))
    shares = influence(lambda rows: score(metric, task, truth[rows], scores[rows]), block[samples.parts.test], BLOCKS)
    return FoldScore(value=float(value), blocks=shares)


def blocks_of(dataset: Dataset) -> npt.NDArray[np.intp] | None:
    """The block of each sample: groups stay whole. None for times, whose folds are the latest samples in turn."""
    if dataset.times is not None:
        return None
    if dataset.groups is None:
        return np.arange(len(dataset)) % BLOCKS
    return np.unique(dataset.groups, return_inverse=True)[1] % BLOCKS


def temperature_of(plan: Plan, samples: Samples, trained: TrainedNetwork) -> float:
    """For log-loss, which is a matter of how sure answers are, what the plan puts right on validation; else 1."""
    if plan.task.kind == "regression" or plan.task.metric != "log-loss" or not plan.prediction.calibrate:
        return 1.0
    held: npt.NDArray[np.float64] = trained.says(samples.parts.validation, exact=False)
    return fit_temperature(held, samples.truth("validation"), plan.task.kind)
