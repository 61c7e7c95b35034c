"""Proofs of images with masks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from fieldcraft.data.cases import Cases
from fieldcraft.data.dataset import Dataset
from fieldcraft.data.folds import MOST_CASES, SHARE, within_volume
from fieldcraft.data.splits import Parts
from fieldcraft.data.store_cases import written
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.masks.by_class import LESS_IS_BETTER
from fieldcraft.proof.engine import Run
from fieldcraft.records.facts import Facts
from fieldcraft.records.proof import FinalLook, Setting
from fieldcraft.tips import mask_steps
from fieldcraft.tips.interface import Tip
from fieldcraft.verbs.draft import CACHE
from fieldcraft.verbs.ledger import Ledger
from fieldcraft.verbs.masks.fold_score import mask_metric
from fieldcraft.verbs.masks.last_look import last_mask_look
from fieldcraft.verbs.masks.trial import MaskTrialMaker
from fieldcraft.verbs.prepare import Prepared, Wardrobe
from fieldcraft.verbs.proof_kind import Trials
from fieldcraft.verbs.trial_time import MARGIN, MASK_OVERHEAD

MARGIN_VOXELS = 0.1
"""Of distances between surfaces, in distances of the nearest voxels."""
TIME_TO_PREDICT = "The time of one prediction is that of a whole case with its last steps, where it was trained."


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskProof:
    """A proof of such images."""

    prepared: Prepared
    wardrobe: Wardrobe
    overhead: float = MASK_OVERHEAD
    beside_s: float = 600.0
    """For cases that are predicted, and a CRF that is sought on some of them."""
    own_metrics: tuple[str, ...] = ("hd95_mm", "surface_dice", "boundary_iou")
    steps: Tip = mask_steps.TIP

    def deepened(self, facts: Facts, budget_s: float) -> Facts:
        """There is nothing more to find out."""
        return facts

    def higher_is_better(self, plan: Plan, metric: str) -> bool:
        """Of overlap, not of distances."""
        return metric not in LESS_IS_BETTER

    def margin(self, metric: str, pool: Dataset) -> float:
        """0.2 points; of distances between surfaces a tenth of a voxel."""
        if metric != "hd95_mm":
            return MARGIN
        inputs = pool.inputs
        assert isinstance(inputs, Cases)
        return MARGIN_VOXELS * float(np.median([min(case.geometry.spacing) for case in inputs.cases]))

    def notes(self, pool: Dataset, fold: Parts) -> tuple[str, ...]:
        """How pairs are parted, and what is timed."""
        return (*_parting(pool, fold), TIME_TO_PREDICT)

    def maker(self, trials: Trials) -> Callable[[], Run]:
        """Voxels stay in one file, which the workers of this machine map."""
        prepared, setting = self.prepared, trials.setting
        inputs = prepared.dataset.inputs
        assert isinstance(inputs, Cases)
        return MaskTrialMaker(
            dataset=prepared.dataset, parts=prepared.parts, store=None if trials.travels else written(inputs, CACHE),
            cache=CACHE, digest=prepared.digest, shelf=trials.shelf, facts=trials.facts, splits=trials.base.splits,
            metric=mask_metric(setting.metric), seed=setting.seed, planned_s=setting.trial_s,
        )  # fmt: skip

    def look(
        self, planned: Plan, proven: Plan, facts: Facts, setting: Setting, ledger: Ledger, command: tuple[str, ...]
    ) -> FinalLook:
        """Case by case."""
        return last_mask_look(
            planned, proven, self.wardrobe.masks, facts, setting.trial_s["confirm"], mask_metric(setting.metric),
            ledger, command,
        )  # fmt: skip


def _parting(pool: Dataset, fold: Parts) -> Iterator[str]:
    train, held, scored = len(fold.train), len(fold.validation), len(fold.test)
    if within_volume(pool):
        yield (
            f"Each pair trains on {train:,} slices, chooses last steps on a block of {held:,} and is scored on another "
            f"block of {scored:,} neighbours, with one slice dropped between. The test part takes no part in it."
        )
        yield (
            "All slices are of one volume, so verdicts are about this volume and say nothing of another one. "
            "Neighbouring slices show nearly the same and are no samples of their own: pairs are taken to err together "
            "as much as they may."
        )
        return
    how = "whole groups" if pool.groups is not None else "drawn anew for each pair"
    how += f", {MOST_CASES} at most" if SHARE * len(pool) > MOST_CASES else ""
    yield (
        f"Each pair trains on {train:,} cases, chooses last steps on {held:,} and is scored on a fold of {scored:,} "
        f"({how}). The test part takes no part in it."
    )
