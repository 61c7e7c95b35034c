"""One trial of a proof: the plan of an arm, trained on what a pair gives it and scored on the pair's fold."""

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
import torch

from fieldcraft.data.dataset import Dataset, ImageArray
from fieldcraft.data.folds import fold
from fieldcraft.data.splits import Parts
from fieldcraft.nn.views import Views
from fieldcraft.plan.schema import Plan, Splits
from fieldcraft.proof.engine import Run
from fieldcraft.records.facts import Facts
from fieldcraft.records.proof import Outcome, Stage, Trial
from fieldcraft.records.streams import stream_seed
from fieldcraft.verbs.bench import Recent, order_seed, outcome_of, scored_outcome
from fieldcraft.verbs.fold_score import blocks_of, fold_score
from fieldcraft.verbs.judge import Judge
from fieldcraft.verbs.once import Once, once
from fieldcraft.verbs.rung import TrainedNetwork, train_network
from fieldcraft.verbs.samples import Samples, ready, sizes_of
from fieldcraft.verbs.shelf import Shelf

POISONED = 0.5
"""Share of the training labels that the poison permutes."""
LATENCY_REPEATS, LATENCY_S = 20, 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialMaker:
    """What a worker is given to carry out trials; travels between processes and machines."""

    dataset: Dataset
    """All samples that take part; none of the test part. Without their pixels where those are in a file."""
    pixels: Path | None
    """The pixels in a file that can be mapped into memory, or None."""
    shelf: Shelf
    """The arms' plans, each with one rung."""
    facts: Facts
    splits: Splits
    seed: int
    planned_s: Mapping[Stage, float]

    def __call__(self) -> Run:
        """Open the samples; what comes back carries out one trial after the other."""
        dataset = self.dataset
        if self.pixels is not None:
            dataset = replace(dataset, inputs=ImageArray(pixels=np.load(self.pixels, mmap_mode="r")))
        return _Bench(self, dataset, blocks_of(dataset))


@dataclass(frozen=True, eq=False)
class _Bench:
    """Where one worker trains; samples stay parted between trials."""

    maker: TrialMaker
    dataset: Dataset
    blocks: npt.NDArray[np.intp] | None
    parted: Recent[Samples] = field(default_factory=Recent)

    def __call__(self, trial: Trial) -> Outcome:
        return outcome_of(trial, self.maker.shelf, self.maker.seed, self._carried_out)

    def _carried_out(self, trial: Trial, plan: Plan) -> Outcome:
        poisoned = trial.arm.kind == "poison"
        samples = self.parted.of(
            (plan.seed, poisoned, sizes_of(plan)), lambda: self._parted(plan, trial.pair, poisoned=poisoned)
        )
        done = trained_once(
            plan, samples, self.maker.facts, self.maker.planned_s[trial.stage], order_seed=order_seed(trial, plan)
        )
        found = fold_score(plan, samples, done.trained, self.blocks)
        return scored_outcome(trial, done, found, latency_ms=latency_ms(done.trained), n=len(samples.parts.test))

    def _parted(self, plan: Plan, pair: int, *, poisoned: bool) -> Samples:
        parts = fold(self.dataset, self.maker.splits, plan.seed, pair)
        dataset = poison(self.dataset, parts, plan.seed) if poisoned else self.dataset
        with tempfile.TemporaryDirectory() as scratch:
            return ready(dataset, parts, plan, Path(scratch))


def poison(dataset: Dataset, parts: Parts, seed: int) -> Dataset:
    """The data set with half of the training labels permuted among themselves; fold and validation keep theirs."""
    random = np.random.default_rng(stream_seed(seed, "poison"))
    rows = random.permutation(parts.train)[: round(POISONED * len(parts.train))]
    values = dataset.targets.values.copy()
    values[rows] = values[random.permutation(rows)]
    return replace(dataset, targets=replace(dataset.targets, values=values))


def trained_once(
    plan: Plan, samples: Samples, facts: Facts, planned_s: float, *, order_seed: int | None = None
) -> Once[TrainedNetwork]:
    """Train the plan's only rung outside of any run.

    Raises: Diverged when the loss stays no number.
    """
    judge = Judge(plan=plan, samples=samples)
    return once(
        planned_s, facts.machine.free_mib,
        lambda work: train_network(0, plan, facts, judge, work, order_seed=order_seed),
    )  # fmt: skip


@torch.no_grad()
def latency_ms(trained: TrainedNetwork) -> float:
    """Median time of a prediction of one sample, on the CPU as a saved model predicts."""
    net = trained.net.cpu().eval()
    asked = Views(net, trained.views) if trained.views else net
    one_sample = torch.zeros(1, *trained.samples.shape)
    began = time.monotonic()
    taken: list[float] = []
    while len(taken) < LATENCY_REPEATS and (not taken or time.monotonic() - began < LATENCY_S):
        start = time.perf_counter()
        asked(one_sample)
        taken.append(time.perf_counter() - start)
    return 1000 * median(taken[1:] or taken)
