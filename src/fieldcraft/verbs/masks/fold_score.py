"""What a fold says of a trained network of masks: a measure of them, after the last steps that the plan asks for."""

import time
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
import numpy.typing as npt
import torch

from fieldcraft.data.order import Rows
from fieldcraft.plan.masks import CrfIfBetter, Segmentation
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.jackknife import influence
from fieldcraft.prediction.masks.by_class import by_class, value_of
from fieldcraft.prediction.masks.model import MaskModel
from fieldcraft.prediction.masks.summary import MASK_METRICS
from fieldcraft.proof.common_error import BLOCKS
from fieldcraft.records.masks import MaskMetric
from fieldcraft.verbs.fold_score import DIVERGED, FoldScore
from fieldcraft.verbs.judge import Outputs
from fieldcraft.verbs.masks.last_steps import refined, spec_of, validation_logits
from fieldcraft.verbs.masks.rung import TrainedMasks
from fieldcraft.verbs.masks.samples import MaskSamples


@dataclass(frozen=True, kw_only=True)
class Scored:
    """Cases that a network was asked about."""

    table: Outputs
    """(cases, classes - 1): the measure of each class; NaN where it is neither there nor predicted."""
    latency_ms: float
    """Median time of the prediction of a case, with its last steps, where the network lives."""


def mask_fold_score(
    plan: Plan,
    samples: MaskSamples,
    trained: TrainedMasks,
    metric: MaskMetric,
    block: npt.NDArray[np.intp] | None = None,
) -> FoldScore:
    """A measure of the fold, or why there is none. `block`: that each case of the data set belongs to.

    The value is the mean over cases of the mean over the foreground classes that a case has.
    """
    found = scored(plan, samples, trained, metric, samples.parts.test)
    if found is None:
        return FoldScore(problem=DIVERGED)
    value = value_of(found.table)
    if np.isnan(value):
        return FoldScore(
            problem=f"{metric} is no number on a fold of {len(found.table)} cases: none of them has a class but the "
            "background. Give more cases."
        )
    shares = None if block is None else shares_of(found.table, block[samples.parts.test])
    return FoldScore(value=value, blocks=shares, latency_ms=found.latency_ms)


def scored(plan: Plan, samples: MaskSamples, trained: TrainedMasks, metric: MaskMetric, rows: Rows) -> Scored | None:
    """Some cases, predicted as a finished run predicts them; None where the network gives no numbers.

    What the plan leaves to validation is chosen on the validation part.
    """
    if not of_numbers(trained):
        return None
    name = plan.ladder.rungs[0].name
    model = MaskModel(spec_of(name, plan, samples), trained.built.net.eval(), trained.machine.device)
    if asks_validation(plan):
        spec, _, _ = refined(model, validation_logits(model, samples), plan, samples, left_s=lambda: float("inf"))
        model = replace(model, spec=spec)
    table, taken = [], []
    for row in map(int, rows):
        image, spacing = samples.store.images[row], samples.case(row).geometry.spacing
        began = time.perf_counter()
        logits = model.logits(image, spacing)
        if not np.isfinite(logits).all():
            return None
        mask = model.finished(logits, image, spacing).mask
        if trained.machine.device.type == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - began)
        table.append(by_class(metric, samples.pair(row, mask), samples.outputs))
    return Scored(table=np.stack(table), latency_ms=1000 * median(taken))


def of_numbers(trained: TrainedMasks) -> bool:
    """Whether the weights are numbers; else the network has diverged."""
    return all(bool(value.isfinite().all()) for value in trained.built.net.state_dict().values())


def mask_metric(name: str) -> MaskMetric:
    """A measure of masks by its name."""
    for known in MASK_METRICS:
        if known == name:
            return known
    raise ValueError(f"no measure of masks is called {name!r}; there are {', '.join(MASK_METRICS)}.")


def asks_validation(plan: Plan) -> bool:
    """Whether the plan has last steps that are kept only where validation gains."""
    assert isinstance(plan.task, Segmentation)
    masks = plan.task.masks
    return isinstance(masks.crf, CrfIfBetter) or masks.components == "filter-if-better"


def shares_of(table: Outputs, block: npt.NDArray[np.intp]) -> npt.NDArray[np.float64] | None:
    """What each block of cases did to the value; None where one block is all there is, or one is all that counts.

    Folds hold few cases. Leaving one of m blocks out tells its deviation from the mean of the others, which it is given
    a share of 1 / m of; taken from the mean of all, as with many samples, two folds that have one block in common would
    seem to err together (1 - 1 / m)^2 times as much as they do.
    """
    many = len(np.unique(block))
    if many < 2:
        return None
    shares = influence(lambda rows: value_of(table[rows]), block, BLOCKS)
    return None if shares is None else shares * many / (many - 1)
