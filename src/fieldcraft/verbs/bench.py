"""What trials have in common, whatever they train: a plan off the shelf, the seed of a pair, the outcome."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from fieldcraft.errors import Diverged, FieldcraftError
from fieldcraft.plan.schema import Plan
from fieldcraft.proof.common_error import packed
from fieldcraft.records.proof import Cost, Outcome, Stage, Trial
from fieldcraft.records.streams import stream_seed
from fieldcraft.verbs.fold_score import FoldScore
from fieldcraft.verbs.once import Found, Once
from fieldcraft.verbs.shelf import Shelf

KEPT = 3
"""Things of a kind that a worker keeps between trials."""
Value = TypeVar("Value")


@dataclass(frozen=True, eq=False)
class Recent(Generic[Value]):
    """The last few things that were asked for, so that the next trials of a pair find them made."""

    kept: OrderedDict[Hashable, Value] = field(default_factory=OrderedDict)

    def of(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What is kept under a key, or made now; what was asked for longest ago goes."""
        if key not in self.kept:
            self.kept[key] = make()
        self.kept.move_to_end(key)
        if len(self.kept) > KEPT:
            self.kept.popitem(last=False)
        return self.kept[key]


def pair_seed(seed: int, stage: Stage, pair: int) -> int:
    """The seed of a pair, from which its fold and all random streams of its trainings grow; fresh in each stage."""
    return stream_seed(seed, "pair", stage, pair)


def order_seed(trial: Trial, plan: Plan) -> int | None:
    """What draws the samples of a placebo in another order; None for all other arms."""
    return stream_seed(plan.seed, "placebo") if trial.arm.kind == "placebo" else None


def outcome_of(trial: Trial, shelf: Shelf, seed: int, carry_out: Callable[[Trial, Plan], Outcome]) -> Outcome:
    """What comes of a trial with its plan, also where it has none, diverges or cannot be trained; with its seconds.

    `seed`: of the proof; the plan gets that of the pair.
    """
    began = time.monotonic()
    plan = shelf.plan(trial)
    if isinstance(plan, str):
        return Outcome(trial=trial, score=None, error=plan, seconds=time.monotonic() - began)
    try:
        found = carry_out(trial, replace(plan, seed=pair_seed(seed, trial.stage, trial.pair)))
    except Diverged as error:
        found = Outcome(trial=trial, score=None, diverged=True, error=str(error))
    except FieldcraftError as error:
        found = Outcome(trial=trial, score=None, error=str(error))
    return replace(found, seconds=time.monotonic() - began)


def scored_outcome(
    trial: Trial, done: Once[Found], found: FoldScore, *, latency_ms: float | None, n: int = 0
) -> Outcome:
    """A training, what its fold says of it, and what both cost. `n`: samples of which the score may be a share."""
    cost = Cost(
        seconds=done.trained.outcome.seconds, memory_mib=done.memory_mib, parameters=float(done.trained.parameters),
        latency_ms=latency_ms,
    )  # fmt: skip
    return Outcome(
        trial=trial, score=found.value, n=n, blocks=packed(found.blocks), cost=cost, diverged=bool(found.problem),
        error=found.problem, notes=done.notes,
    )  # fmt: skip
