"""One trial of a proof for masks: trained, its last steps chosen on validation, scored on the fold of its pair."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fieldcraft.data.case_store import CaseStore
from fieldcraft.data.cases import Cases
from fieldcraft.data.dataset import Dataset
from fieldcraft.data.folds import fold, pooled, rows_of
from fieldcraft.data.splits import Parts
from fieldcraft.data.store_cases import mapped, stored
from fieldcraft.plan.masks import Masks, PatchInput, Segmentation
from fieldcraft.plan.schema import Plan, Splits
from fieldcraft.plan.toml import to_toml
from fieldcraft.proof.common_error import packed
from fieldcraft.proof.engine import Run
from fieldcraft.records.facts import Facts
from fieldcraft.records.masks import MaskMetric
from fieldcraft.records.proof import Cost, Outcome, Stage, Trial
from fieldcraft.records.streams import stream_seed
from fieldcraft.verbs.fold_score import blocks_of
from fieldcraft.verbs.masks.fold_score import mask_fold_score
from fieldcraft.verbs.masks.judge import MaskJudge
from fieldcraft.verbs.masks.rung import TrainedMasks, follows_validation, train_mask_network
from fieldcraft.verbs.masks.samples import MaskSamples
from fieldcraft.verbs.once import Once, once
from fieldcraft.verbs.shelf import Shelf
from fieldcraft.verbs.trial import outcome_of, pair_seed

KEPT = 3
"""Parted cases, and trained networks, that a worker keeps between trials."""
Kept = TypeVar("Kept")


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskTrialMaker:
    """What a worker is given to carry out trials; voxels do not travel, they are mapped from a file."""

    dataset: Dataset
    """All cases, as the file has them; those of the test part are not looked at."""
    parts: Parts
    store: Path | None
    """The file with all cases; None on machines that may not see it: there it is written anew."""
    cache: Path
    digest: str
    """Of the contents."""
    shelf: Shelf
    """The arms' plans, each with one rung."""
    facts: Facts
    splits: Splits
    metric: MaskMetric
    """That folds are scored by."""
    seed: int
    planned_s: Mapping[Stage, float]

    def __call__(self) -> Run:
        """Map the cases; what comes back carries out one trial after the other."""
        inputs = self.dataset.inputs
        assert isinstance(inputs, Cases)
        store = mapped(inputs, self.store) if self.store is not None else stored(inputs, self.cache)
        rows = [int(row) for row in rows_of(self.parts)]
        some = CaseStore(images=tuple(store.images[row] for row in rows), masks=tuple(store.masks[row] for row in rows))
        pool = pooled(self.dataset, self.parts)
        return _Bench(self, pool, some, blocks_of(pool))


@dataclass(frozen=True, eq=False)
class _Bench:
    """Where one worker trains; parted cases and networks are kept for the next trials of a pair."""

    maker: MaskTrialMaker
    pool: Dataset
    store: CaseStore
    blocks: npt.NDArray[np.intp] | None
    parted: OrderedDict[object, MaskSamples] = field(default_factory=OrderedDict)
    trained: OrderedDict[object, Once[TrainedMasks]] = field(default_factory=OrderedDict)

    def __call__(self, trial: Trial) -> Outcome:
        return outcome_of(trial, self._carried_out)

    def _carried_out(self, trial: Trial) -> Outcome:
        plan = self.maker.shelf.plan(trial)
        if isinstance(plan, str):
            return Outcome(trial=trial, score=None, error=plan)
        plan = replace(plan, seed=pair_seed(self.maker.seed, trial.stage, trial.pair))
        samples = self._samples(plan, trial)
        done = self._network(plan, samples, trial)
        trained = done.trained
        found = mask_fold_score(plan, samples, trained, self.maker.metric, self.blocks)
        cost = Cost(
            seconds=trained.outcome.seconds,
            memory_mib=done.memory_mib,
            parameters=float(trained.parameters),
            latency_ms=found.latency_ms,
        )
        return Outcome(
            trial=trial, score=found.value, blocks=packed(found.blocks), cost=cost, diverged=bool(found.problem),
            error=found.problem, notes=done.notes,
        )  # fmt: skip

    def _samples(self, plan: Plan, trial: Trial) -> MaskSamples:
        sample, poisoned = plan.input, trial.arm.kind == "poison"
        assert isinstance(sample, PatchInput)
        key = (plan.seed, poisoned, sample.spacing, sample.normalise)
        found = self.parted.get(key) or MaskSamples(
            dataset=self.pool, parts=fold(self.pool, self.maker.splits, plan.seed, trial.pair), store=self.store,
            sample=sample, cache=self.maker.cache, digest=self.maker.digest, rolled=poisoned,
        )  # fmt: skip
        _keep(self.parted, key, found)
        return replace(found, sample=sample)

    def _network(self, plan: Plan, samples: MaskSamples, trial: Trial) -> Once[TrainedMasks]:
        """Trained for this trial, or for another one of the pair that differs in predictions alone."""
        key = (trial.stage, trial.arm.kind in ("placebo", "poison") and trial.arm.kind, to_toml(_training(plan)))
        found = self.trained.get(key) or train_alone(
            plan, samples, self.maker.facts, self.maker.planned_s[trial.stage],
            order_seed=stream_seed(plan.seed, "placebo") if trial.arm.kind == "placebo" else None,
        )  # fmt: skip
        found.trained.built.net.zero_grad(set_to_none=True)
        _keep(self.trained, key, found)
        return found


def train_alone(
    plan: Plan, samples: MaskSamples, facts: Facts, planned_s: float, *, order_seed: int | None = None
) -> Once[TrainedMasks]:
    """Train the plan's only rung outside of any run.

    Raises: Diverged when the loss stays no number.
    """
    judge = MaskJudge(plan=plan, samples=samples)
    return once(
        planned_s, facts.machine.free_mib,
        lambda work: train_mask_network(0, plan, facts, judge, work, order_seed=order_seed, watched=False),
    )  # fmt: skip


def _training(plan: Plan) -> Plan:
    """The plan as far as training goes: how masks are made of answers has no part in it, unless it is looked at."""
    assert isinstance(plan.task, Segmentation)
    return plan if follows_validation(plan) else replace(plan, task=replace(plan.task, masks=Masks()))


def _keep(kept: OrderedDict[object, Kept], key: object, found: Kept) -> None:
    kept[key] = found
    kept.move_to_end(key)
    if len(kept) > KEPT:
        kept.popitem(last=False)
