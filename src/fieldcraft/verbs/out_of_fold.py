"""Out-of-fold predictions: what a plan's winner says about each sample when it did not learn from it."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from fieldcraft.baselines.fit import fit_baseline
from fieldcraft.baselines.fitted import of_samples
from fieldcraft.data.dataset import Dataset, Table
from fieldcraft.data.memory import decode
from fieldcraft.data.splits import Parts
from fieldcraft.data.take import no_rows
from fieldcraft.errors import DataError
from fieldcraft.plan.schema import Plan, Rung
from fieldcraft.prediction.calibration import apply, as_outputs, fit_temperature
from fieldcraft.records.facts import Facts
from fieldcraft.train.clock import Clock
from fieldcraft.train.journal import Journal
from fieldcraft.train.run_folder import RunFolder
from fieldcraft.verbs.judge import Judge
from fieldcraft.verbs.rung import train_rung
from fieldcraft.verbs.samples import Samples, ready
from fieldcraft.verbs.work import Work

CLOSING = 0.1  # share of a fold's time for reading, validating and writing
LEAST_STEPS = 20


@dataclass(frozen=True, kw_only=True)
class Winner:
    """What is trained in each fold."""

    plan: Plan
    """Its ladder has one rung, or one baseline."""
    step_s: float | None
    """Seconds that a training step takes; None where that is not known."""

    @property
    def rung(self) -> Rung | None:
        """The network, unless a baseline won."""
        return self.plan.ladder.rungs[0] if self.plan.ladder.rungs else None


def out_of_fold(
    dataset: Dataset,
    winner: Winner,
    facts: Facts,
    *,
    folds: int,
    budget_s: float | None,
    cache: Path,
    stop: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda text: None,
) -> npt.NDArray[np.float64]:
    """Probabilities (n, classes), each from a training on the other folds; one temperature is fitted on all of them.

    Folds are stratified, groups stay whole. Each fold gets an equal share of the time that is left; its steps are
    shortened to that. Raises: DataError when a class has fewer samples (or groups) than it takes.
    """
    began = time.monotonic()
    parts = _folds(dataset, folds, winner.plan.seed)
    dataset = _decoded(dataset, winner.plan, cache)
    truth = dataset.targets.values.astype(np.int64)
    outputs = np.zeros((len(dataset), len(dataset.targets.names)))
    for place, part in enumerate(parts):
        left_s = None if budget_s is None else (budget_s - (time.monotonic() - began)) / (folds - place)
        samples = ready(dataset, part, winner.plan, cache)
        outputs[part.validation] = _one_fold(samples, winner, facts, left_s, stop, say)
        hits = (outputs[part.validation].argmax(axis=1) == truth[part.validation]).mean()
        say(f"fold {place + 1} of {folds}: {hits:.1%} of {len(part.validation):,} labels are what was predicted")
    return apply(outputs, fit_temperature(outputs, truth, "single-label"), "single-label")


def shortened(rung: Rung, step_s: float | None, left_s: float | None) -> Rung:
    """The rung with as many steps as fit into the time; never more than planned."""
    if step_s is None or left_s is None:
        return replace(rung, most_steps=0, retimings=(), cool_downs=())
    fitting = int((1 - CLOSING) * left_s / step_s)
    return replace(rung, steps=min(rung.steps, max(LEAST_STEPS, fitting)), most_steps=0, retimings=(), cool_downs=())


def _one_fold(
    samples: Samples,
    winner: Winner,
    facts: Facts,
    left_s: float | None,
    stop: Callable[[], bool],
    say: Callable[[str], None],
) -> npt.NDArray[np.float64]:
    plan, held = winner.plan, samples.parts.validation
    if winner.rung is None:
        name = of_samples(plan.ladder.baselines[0])
        fitted = fit_baseline(
            name, samples.flat(samples.parts.train), samples.truth("train"), "single-label", samples.outputs,
            seconds=left_s, threads=plan.execution.threads, seed=plan.seed, groups=samples.groups("train"),
        )  # fmt: skip
        return as_outputs(fitted.scores(samples.flat(held)), "single-label")
    rung = shortened(winner.rung, winner.step_s, left_s)
    plan = replace(plan, ladder=replace(plan.ladder, rungs=(rung,)))
    with tempfile.TemporaryDirectory() as scratch:
        folder = RunFolder(Path(scratch))
        work = Work(
            folder=folder, journal=Journal(folder.journal), hooks=(), stop=stop, say=lambda text: None, reserve_s=0.0,
            clock=Clock(budget_s=left_s, started=time.monotonic()),
        )  # fmt: skip
        # The held-out fold stands in the place of the validation part: nothing is chosen by it.
        return train_rung(0, plan, replace(facts, measured={}), Judge(plan=plan, samples=samples), [], work).outputs


def _folds(dataset: Dataset, folds: int, seed: int) -> list[Parts]:
    values = dataset.targets.values.astype(np.int64)
    counts = np.bincount(values)
    least = int(counts[counts > 0].min())
    if least < folds:
        raise DataError(
            f"{folds} folds need {folds} samples of each class in the training and validation parts, but one has "
            f"{least}: give --folds {max(2, least)}, or more samples."
        )
    nothing = np.zeros(len(values))
    if dataset.groups is None:
        cut = StratifiedKFold(folds, shuffle=True, random_state=seed).split(nothing, values)
    else:
        cut = StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(nothing, values, dataset.groups)
    return [
        Parts(train=train.astype(np.int64), validation=held.astype(np.int64), test=no_rows()) for train, held in cut
    ]


def _decoded(dataset: Dataset, plan: Plan, cache: Path) -> Dataset:
    """With its images at the planned size, once for all folds; as they are where the plan wants several sizes."""
    if isinstance(dataset.inputs, Table) or plan.input.kind != "image" or plan.input.buckets:
        return dataset
    return replace(dataset, inputs=decode(dataset, height=plan.input.height, width=plan.input.width, cache=cache))
