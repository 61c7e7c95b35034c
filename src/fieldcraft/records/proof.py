"""What a proof is made of: factors, trials and what came of them, verdicts; the lines of its journal and `proof.json`.

A factor is a tip, or a switch of one's own training function. An arm says which factors are on. A pair is a number that
stands for one seed and one fold: the arms of a pair share both, so that only what the factor did differs.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

Stage = Literal["screen", "confirm", "full"]
"""Ranking with many factors at once; one factor at a time on a shortened budget or subset; the same at the full one."""
ArmKind = Literal["base", "toggled", "screen", "placebo", "poison", "kept"]
"""Everything as planned; one factor changed; a row of the screening design; the two controls; only what was kept."""
Effect = Literal["total", "direct"]
"""The other tips decide again, or everything else stays pinned."""
Word = Literal["paid", "hurt", "no effect that matters", "cannot tell yet"]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A way of training: which factors are on."""

    name: str
    """Unique in a proof: "base", "without label-smoothing", "with mixup", "placebo", "poison", "screen 3"."""
    kind: ArmKind
    on: tuple[str, ...]
    """Factors that are on, in the order of the proof's."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training: an arm, and the pair (seed and fold) that it belongs to."""

    stage: Stage
    arm: Arm
    pair: Annotated[int, Field(ge=0)]

    @property
    def key(self) -> str:
        """Its name in the journal."""
        return f"{self.stage}/{self.arm.name}/{self.pair}"


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one training and its network cost; None where that was not measured."""

    seconds: float | None = None
    """Wall clock of the training alone."""
    memory_mib: float | None = None
    """Of a training step: weights, gradients, optimiser, and what is kept for the backward pass; of a GPU its peak."""
    parameters: float | None = None
    latency_ms: float | None = None
    """Of a prediction of one sample on the CPU; of masks of a whole case with its last steps, where it was trained."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one trial: a line of the journal."""

    trial: Trial
    score: float | None
    """The metric on the fold; None where the trial failed or the metric was no number."""
    n: int = 0
    """Samples (or groups) of which the score is the share that is right, so that one of them moves it by 1 / n; 0 where
    it is no such share, or where that is not known."""
    blocks: str = ""
    """What each block of samples did to the score (`proof.common_error`); empty where that is not known."""
    cost: Cost = Cost()
    diverged: bool = False
    """The loss or the metric became no number."""
    error: str = ""
    """Why there is no score, in words for a person."""
    seconds: float = 0.0
    """Wall clock of the whole trial."""
    at_s: float = 0.0
    """Seconds of the proof's own time at which it ended; a proof that goes on counts from where it was."""
    worker: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a proof asks and by which rules it decides; written before the first trial and never changed after it."""

    factors: tuple[str, ...]
    base: tuple[str, ...]
    """Factors that are on in the plan as it stands: each is left out once; the others are added once."""
    metric: str
    higher_is_better: bool
    seed: int = 0
    effect: Effect = "total"
    equal: Literal["minutes", "steps"] = "minutes"
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Chance of any wrong "paid" or "hurt" over all factors, whenever one looks; the two controls have it each."""
    margin: Annotated[float, Field(gt=0)] = 0.002
    """Effects smaller than that do not matter; in units of the metric, never less than one validation sample."""
    controls: tuple[Literal["placebo", "poison"], ...] = ("placebo", "poison")
    """Those that can be run here; a proof says which are missing."""
    overlap: Annotated[float, Field(ge=0)] = 0.0
    """Samples of a fold over samples trained on (Nadeau and Bengio's n2 / n1); 0 where pairs share no data, or where
    all have the same fold and the claim is about seeds alone. Differences are taken to err together by that much, or
    by less where trials keep what each block of samples did to their score."""
    folds: Annotated[int, Field(ge=0)] = 0
    """Different folds that pairs take in turn, two or more; 0 where every pair draws its own, as it had better."""
    trial_s: Mapping[Stage, float] = Field(default_factory=dict)
    """Planned seconds of one trial in each stage that is wanted; empty for a function whose time is not known."""
    workers: Annotated[int, Field(ge=1)] = 1
    planned_s: float | None = None
    """What a fit of the plan would take at its full budget; a verdict at less says so."""
    wanted: Mapping[str, str] = Field(default_factory=dict)
    """Anything else that must be the same for the proof to go on: digests of data and plan, versions."""


@dataclass(frozen=True, kw_only=True)
class Between:
    """A difference (on minus off) with an interval that holds whenever one looks."""

    value: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True, kw_only=True)
class CostDifference:
    """What a factor costs, on minus off, with 95 % intervals; None where it was not measured."""

    seconds: Between | None = None
    memory_mib: Between | None = None
    parameters: Between | None = None
    latency_ms: Between | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is said of one factor."""

    factor: str
    word: Word
    effect: Between | None
    """Positive: better with it, also for metrics where less is better. None before the first look (three pairs)."""
    differences: tuple[float, ...]
    """Pair by pair, of the same sign as the effect."""
    stage: Stage
    """At which budget it was decided."""
    trial_s: float | None
    because: str
    """One sentence with the numbers."""
    margin: float | None = None
    """Effects smaller than that did not matter: the setting's, or one sample of the smallest fold if that is more."""
    overlap: float | None = None
    """How much differences err together: the covariance of two over the variance of one, as the interval allows for."""
    pairs_needed: int | None = None
    """Of "cannot tell yet": further pairs that it would probably take; None where no number of them would do."""
    seconds_needed: float | None = None
    cost: CostDifference = CostDifference()
    failed: tuple[str, ...] = ()
    """Pairs that did not count, and why."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Control:
    """What came of the placebo or the poison."""

    kind: Literal["placebo", "poison"]
    verdict: Verdict
    passed: bool | None
    """None: not known yet."""
    because: str


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A factor in the screening: it only ranks."""

    factor: str
    effect: float
    """Main effect averaged over half-on plans, of the sign of a verdict's."""
    error: float | None
    """Standard error; None where the design leaves no degrees of freedom."""
    aliases: tuple[str, ...] = ()
    """Two-factor interactions that it cannot be told from, the likeliest first."""


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """Two factors that seemed to do something together; seen while screening, not confirmed."""

    factors: tuple[str, str]
    effect: float
    error: float | None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class FinalLook:
    """One more look at the test part: the plan against the plan without what did not pay."""

    look: int
    """The n-th look at this test part."""
    planned: float
    """A class that a case rightly does not have counts as the best value, here, in `kept` and in the difference."""
    kept: float
    difference: Between
    """Of what was kept to the plan as it stood; positive: what was kept is better."""
    n: int


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Everything that a proof found: the content of `proof.json`."""

    setting: Setting
    verdicts: tuple[Verdict, ...]
    """Of every factor, in the order of the setting."""
    controls: tuple[Control, ...]
    ranking: tuple[Ranked, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    not_tested: Mapping[str, str] = Field(default_factory=dict)
    """Tips that decided nothing here, and why they were not tested."""
    outcomes: tuple[Outcome, ...] = ()
    """In the order in which they ended."""
    seconds: float = 0.0
    """Wall clock of all its sittings."""
    look: FinalLook | None = None
    notes: tuple[str, ...] = ()

    @property
    def trusted(self) -> bool:
        """No control failed."""
        return all(one.passed is not False for one in self.controls)
