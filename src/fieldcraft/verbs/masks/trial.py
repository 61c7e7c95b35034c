"""One trial of a proof for masks: trained, its last steps chosen on validation, scored on the fold of its pair."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

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
from fieldcraft.proof.engine import Run
from fieldcraft.records.facts import Facts
from fieldcraft.records.masks import MaskMetric
from fieldcraft.records.proof import Outcome, Stage, Trial
from fieldcraft.verbs.bench import Recent, order_seed, outcome_of, scored_outcome
from fieldcraft.verbs.fold_score import blocks_of
from fieldcraft.verbs.masks.fold_score import mask_fold_score
from fieldcraft.verbs.masks.judge import MaskJudge
from fieldcraft.verbs.masks.rung import TrainedMasks, follows_validation, train_mask_network
from fieldcraft.verbs.masks.samples import MaskSamples
from fieldcraft.verbs.once import Once, once
from fieldcraft.verbs.shelf import Shelf


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
    parted: Recent[MaskSamples] = field(default_factory=Recent)
    trained: Recent[Once[TrainedMasks]] = field(default_factory=Recent)

    def __call__(self, trial: Trial) -> Outcome:
        return outcome_of(trial, self.maker.shelf, self.maker.seed, self._carried_out)

    def _carried_out(self, trial: Trial, plan: Plan) -> Outcome:
        sample, poisoned = plan.input, trial.arm.kind == "poison"
        assert isinstance(sample, PatchInput)
        like = (plan.seed, poisoned, sample.spacing, sample.normalise)
        samples = replace(self.parted.of(like, lambda: self._parted(plan, sample, trial)), sample=sample)
        control = trial.arm.kind if trial.arm.kind in ("placebo", "poison") else ""
        done = self.trained.of(  # for this trial, or for another one of the pair that differs in predictions alone
            (trial.stage, control, to_toml(_training(plan))), lambda: self._trained(plan, samples, trial)
        )
        found = mask_fold_score(plan, samples, done.trained, self.maker.metric, self.blocks)
        return scored_outcome(trial, done, found, latency_ms=found.latency_ms)

    def _parted(self, plan: Plan, sample: PatchInput, trial: Trial) -> MaskSamples:
        return MaskSamples(
            dataset=self.pool, parts=fold(self.pool, self.maker.splits, plan.seed, trial.pair), store=self.store,
            sample=sample, cache=self.maker.cache, digest=self.maker.digest, rolled=trial.arm.kind == "poison",
        )  # fmt: skip

    def _trained(self, plan: Plan, samples: MaskSamples, trial: Trial) -> Once[TrainedMasks]:
        found = train_alone(
            plan, samples, self.maker.facts, self.maker.planned_s[trial.stage], order_seed=order_seed(trial, plan)
        )
        found.trained.built.net.zero_grad(set_to_none=True)
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
