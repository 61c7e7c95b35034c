"""The look at the test part: what the winner says about samples that took no part in any choice, judged once."""

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch import nn

from fieldcraft.baselines.fitted import Fitted
from fieldcraft.data.dataset import Part
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.bootstrap import intervals, share
from fieldcraft.prediction.calibration import apply, as_outputs, reliability
from fieldcraft.prediction.ensemble import Ensemble
from fieldcraft.prediction.interval import covered
from fieldcraft.prediction.metrics import Array
from fieldcraft.prediction.model import Model
from fieldcraft.prediction.spec import ModelSpec
from fieldcraft.prediction.table import write_predictions
from fieldcraft.prediction.unsure import Threshold, choose_threshold, confidence, right
from fieldcraft.records.results import Calibration, Estimate, Interval, Sure, Test
from fieldcraft.train.engine import engine
from fieldcraft.verbs import candidates, pictures
from fieldcraft.verbs.candidates import Judged
from fieldcraft.verbs.ledger import Ledger
from fieldcraft.verbs.rung import network_outputs
from fieldcraft.verbs.samples import Samples
from fieldcraft.verbs.work import Work


def outputs_of(model: Model, plan: Plan, samples: Samples, part: Part) -> Array:
    """What a model says about a part, as `Judged.outputs` has it."""
    if isinstance(model.predictor, Ensemble):
        said = [outputs_of(one, plan, samples, part) for one in model.predictor.models]
        return model.predictor.averaged(said, plan.task.kind)
    if isinstance(model.predictor, Fitted):
        rows = samples.parts.rows(part)
        return as_outputs(model.predictor.scores(samples.flat(rows)), plan.task.kind)
    machine = engine(plan.execution)
    batches = samples.batches(part, plan, machine.device, augment=False)
    found = network_outputs(machine.place(model.asked), batches, samples, machine, exact=True)
    model.predictor.cpu()  # a model is asked with tensors of the CPU
    return found


def look(winner: Judged, model: Model, plan: Plan, samples: Samples, work: Work, command: tuple[str, ...]) -> Test:
    """Look at the test part, once: a run that is resumed after its look does not look again."""
    ledger = Ledger(work.folder.ledger)
    seen = candidates.folder(work.folder.rungs, winner.candidate.name) / "test.npy"
    if seen.exists():
        number, found = ledger.looks(), np.load(seen)
    else:
        number = ledger.look("the winner's result", command)
        found = outputs_of(model, plan, samples, "test")
        candidates.write_array(seen, found)
    test, frames = examine(winner.outputs, found, model.spec, plan, samples, number)
    write_predictions(work.folder.predictions, pd.concat(frames))
    if samples.pixels is not None:
        arrays = pictures.shown_samples(samples) | pictures.mistakes(samples, _worst(found, model.spec, samples))
        pictures.write(work.folder.thumbnails, arrays)
    return test


def examine(
    validation: Array, found: Array, spec: ModelSpec, plan: Plan, samples: Samples, number: int
) -> tuple[Test, list[pd.DataFrame]]:
    """Judge outputs on the test part: metrics, calibration, the unsure flag; and tables of predictions."""
    task, truth, groups = spec.task, samples.truth("test"), samples.groups("test")
    scores = apply(found, spec.temperature, task)
    sigma = np.array(spec.sigma) if task == "regression" else None
    metrics = intervals(task, truth, scores, groups, sigma, seed=plan.seed)
    frames = [
        predictions_frame("validation", apply(validation, spec.temperature, task), spec, samples),
        predictions_frame("test", scores, spec, samples),
    ]
    if task == "regression":
        inside = covered(truth.astype(np.float64).reshape(len(truth), -1), scores, np.array(spec.half_width))
        coverage = share(inside.mean(axis=1), groups, seed=plan.seed)
        band = Interval(
            wanted=plan.prediction.interval, half_width=spec.half_width, sigma=spec.sigma, coverage=coverage
        )
        return Test(look=number, metrics=metrics, interval=band), frames
    confusion = None
    if task == "single-label":
        counts = np.zeros((len(spec.names),) * 2, dtype=np.int64)
        np.add.at(counts, (truth.astype(np.int64), scores.argmax(axis=1)), 1)
        confusion = tuple(tuple(map(int, row)) for row in counts)
    before = reliability(apply(found, 1.0, task), truth)
    calibration = Calibration(temperature=spec.temperature, before=before, after=reliability(scores, truth))
    sure = _sure(apply(validation, spec.temperature, task), scores, plan, samples)
    return Test(look=number, metrics=metrics, confusion=confusion, calibration=calibration, sure=sure), frames


def _sure(validation: Array, scores: Array, plan: Plan, samples: Samples) -> Sure:
    chosen = threshold_of(validation, samples.truth("validation"), plan)
    truth, groups = samples.truth("test"), samples.groups("test")
    sure = confidence(scores, truth.ndim > 1) >= chosen.value
    hits = right(scores, truth)
    accuracy = (
        share(hits[sure].astype(np.float64), None if groups is None else groups[sure], seed=plan.seed)
        if sure.any()
        else Estimate(value=0.0, low=0.0, high=1.0, n=0)
    )
    return Sure(
        wanted=plan.prediction.sure_accuracy,
        threshold=chosen.value,
        reached=chosen.reached,
        validation_accuracy=chosen.accuracy,
        validation_coverage=chosen.coverage,
        accuracy=accuracy,
        coverage=share(sure.astype(np.float64), groups, seed=plan.seed),
    )


def predictions_frame(part: Part, scores: Array, spec: ModelSpec, samples: Samples) -> pd.DataFrame:
    """Predictions of a part beside the truth."""
    truth = samples.truth(part)
    names = samples.dataset.targets.names
    frame = Model(spec, nn.Identity(), None).frame(scores)
    if spec.task == "single-label":
        told = {"truth": np.array(names, dtype=object)[truth.astype(np.int64)]}
    elif len(names) == 1 and spec.task == "regression":
        told = {"truth": truth.reshape(-1)}
    else:
        told = {f"truth:{name}": truth[:, index] for index, name in enumerate(names)}
    groups = samples.groups(part)
    grouped = {} if groups is None else {"group": groups}
    head = pd.DataFrame({"id": samples.ids(part), "part": part, **grouped, **told})
    return pd.concat([head, frame], axis=1)


def _worst(found: Array, spec: ModelSpec, samples: Samples) -> npt.NDArray[np.int64]:
    """Rows of the test samples that the model got wrong, the most confident first."""
    truth, rows = samples.truth("test"), samples.parts.test
    scores = apply(found, spec.temperature, spec.task)
    if spec.task == "regression":
        errors = np.abs(truth.astype(np.float64).reshape(len(truth), -1) - scores) / np.maximum(
            np.array(samples.target_std), 1e-12
        )
        return rows[np.argsort(-errors.max(axis=1), kind="stable")]
    wrong = ~right(scores, truth)
    if spec.task == "single-label":
        loss = -np.log(np.clip(scores[np.arange(len(truth)), truth.astype(np.int64)], 1e-12, None))
    else:
        loss = -np.log(np.clip(np.where(truth == 1, scores, 1 - scores), 1e-12, None)).max(axis=1)
    order = np.argsort(-loss, kind="stable")
    return rows[order[wrong[order]]]


def threshold_of(probabilities: Array, truth: npt.NDArray[np.generic], plan: Plan) -> Threshold:
    """The unsure threshold for these probabilities, as the plan wants it."""
    return choose_threshold(probabilities, truth, plan.prediction.sure_accuracy)
