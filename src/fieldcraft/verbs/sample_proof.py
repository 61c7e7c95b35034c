"""Proofs of samples that have one answer each: images, and rows of a table."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fieldcraft.data.dataset import Dataset, ImageArray
from fieldcraft.data.folds import ORIGINS, rows_of
from fieldcraft.data.splits import Parts
from fieldcraft.plan.schema import ImageInput, Plan
from fieldcraft.prediction.metrics import higher_is_better
from fieldcraft.proof.engine import Run
from fieldcraft.records.facts import Facts
from fieldcraft.records.proof import FinalLook, Setting
from fieldcraft.tips import epochs
from fieldcraft.tips.interface import Tip
from fieldcraft.verbs.deep import share_s, with_deep_facts
from fieldcraft.verbs.ledger import Ledger
from fieldcraft.verbs.prepare import Prepared, Wardrobe
from fieldcraft.verbs.proof_kind import Trials
from fieldcraft.verbs.proven import last_look
from fieldcraft.verbs.trial import TrialMaker
from fieldcraft.verbs.trial_time import MARGIN, OVERHEAD

SAMPLES = "samples.npy"
"""The file, of no use after a sitting, from which the workers of one machine map the pixels."""
MARGIN_OF_STD = 0.01
"""Of errors in units of the target, as a share of its deviation."""
MARGIN_NATS = 0.005


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleProof:
    """A proof of such samples."""

    prepared: Prepared
    wardrobe: Wardrobe
    overhead: float = OVERHEAD
    beside_s: float = 60.0
    """For starts and scores."""
    own_metrics: tuple[str, ...] = ()
    steps: Tip = epochs.TIP

    def deepened(self, facts: Facts, budget_s: float) -> Facts:
        """With deep facts, as far as their share of the budget goes."""
        limit_s = share_s(replace(facts, budget=replace(facts.budget, seconds=budget_s)))
        start = self.prepared.start
        return with_deep_facts(facts, self.wardrobe.samples(start), seed=start.seed, limit_s=limit_s)

    def higher_is_better(self, plan: Plan, metric: str) -> bool:
        """Of one's own metric it always is."""
        return higher_is_better(metric) if isinstance(plan.task.metric, str) else True

    def margin(self, metric: str, pool: Dataset) -> float:
        """0.2 points; of errors in the target's units a hundredth of its deviation, of log-loss 0.005 nats."""
        if metric in ("rmse", "mae"):
            return max(float(np.std(pool.targets.values.astype(np.float64), axis=0).mean()) * MARGIN_OF_STD, 1e-12)
        return MARGIN_NATS if metric == "log-loss" else MARGIN

    def notes(self, pool: Dataset, fold: Parts) -> tuple[str, ...]:
        """How pairs are parted."""
        how = (
            f"the latest samples of one of {ORIGINS} stretches of time"
            if pool.times is not None
            else "whole groups" if pool.groups is not None else "drawn anew for each pair, stratified"
        )  # fmt: skip
        return (
            f"Each pair trains on {len(fold.train):,} samples, holds back {len(fold.validation):,} for choices and is "
            f"scored on a fold of {len(fold.test):,}: {how}. The test part takes no part in it.",
        )

    def maker(self, trials: Trials) -> Callable[[], Run]:
        """Images of one size are made ready once, in a file that the workers of this machine map."""
        plan, dataset, pixels = trials.base, trials.pool, None
        if isinstance(plan.input, ImageInput) and not _several_sizes(plan.input, trials.changes):
            whole = self.wardrobe.samples(plan)
            assert whole.pixels is not None
            rows = rows_of(self.prepared.parts)
            dataset = replace(dataset, inputs=ImageArray(pixels=whole.pixels[rows]))
            if not trials.travels:
                pixels = trials.folder / SAMPLES
                np.save(pixels, whole.pixels[rows])
                dataset = replace(dataset, inputs=ImageArray(pixels=whole.pixels[:0]))
        return TrialMaker(
            dataset=dataset, pixels=pixels, shelf=trials.shelf, facts=trials.facts, splits=plan.splits,
            seed=trials.setting.seed, planned_s=trials.setting.trial_s,
        )  # fmt: skip

    def look(
        self, planned: Plan, proven: Plan, facts: Facts, setting: Setting, ledger: Ledger, command: tuple[str, ...]
    ) -> FinalLook:
        """Sample by sample."""
        samples = self.wardrobe.samples(planned)
        return last_look(planned, proven, samples, facts, setting.trial_s["confirm"], ledger, command)


def _several_sizes(plan: ImageInput, changes: tuple[str, ...]) -> bool:
    """Whether some arm sees images in buckets: every worker then decodes the files itself."""
    return bool(plan.buckets) or any("size-buckets" in name or "input.buckets" in name for name in changes)
