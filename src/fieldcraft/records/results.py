"""What a run found: the content of `results.json`, read by the report and by whoever compares runs."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fieldcraft.records.finding import Finding
from fieldcraft.records.training import Gap, Leak


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number with its 95 % bootstrap interval (groups resampled whole)."""

    value: float
    low: float
    high: float
    n: int
    """Samples (or groups, when there are any) behind it."""

    @property
    def alone(self) -> bool:
        """A single sample or group is behind it: resampling gives it again, which is no interval."""
        return self.n == 1


@dataclass(frozen=True, kw_only=True)
class Member:
    """A candidate that takes part in an average of several."""

    name: str
    weight: float
    """Its share of the average."""
    temperature: float = 1.0
    """Its logits are divided by it before they become the probabilities that are averaged."""
    copy_of: str = ""
    """The rung whose network it is once more."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One baseline, one rung of the ladder, or an average of several of these, judged on validation."""

    name: str
    """majority, linear, boosting, the rung's name, or ensemble."""
    kind: Literal["baseline", "rung", "ensemble"]
    validation: float
    """The plan's metric on the validation part."""
    noise: float
    """Standard error of the paired difference to the best before it, in units of the metric; 0 for the first."""
    seconds: float
    """Wall clock for training and validating it."""
    sample: str
    """What it was trained on: "all 1,149 training samples", "10,000 of 48,000"."""
    copy_of: str = ""
    """The rung whose network it is once more."""
    folds: tuple[float, ...] = ()
    """Of a baseline: log-loss or squared error on each fold of the training part; empty where it was not
    cross-validated, or where validation is no random draw from the same samples, or nearly as large."""
    parameters: int | None = None
    steps: int | None = None
    """Optimiser steps taken."""
    planned_steps: int | None = None
    gap: Gap | None = None
    """A network on samples that it learnt from and on others."""
    members: tuple[Member, ...] = ()
    """Of an ensemble, the heaviest first."""
    note: str = ""
    """Anything unusual: cooled down early, backed off, stopped by hand, stopped at its share of the time."""


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """A calibration diagram: equal-width bins of the highest probability."""

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    counts: tuple[int, ...]
    ece: float
    """Expected calibration error, share (not per cent), over these bins."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """One temperature, fitted on validation; reliability on test before and after."""

    temperature: float
    before: Reliability
    after: Reliability


@dataclass(frozen=True, kw_only=True)
class Sure:
    """The threshold on the calibrated probability below which a prediction is flagged unsure."""

    wanted: float
    """Accuracy wanted among the sure ones."""
    threshold: float
    reached: bool
    """Whether any threshold reached it on validation."""
    validation_accuracy: float
    validation_coverage: float
    """Share of the samples called sure."""
    accuracy: Estimate
    """On test, among the sure."""
    coverage: Estimate
    """On test."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Regression: prediction plus or minus a half-width from validation residuals (split conformal)."""

    wanted: float
    """Coverage wanted."""
    half_width: tuple[float, ...]
    """One a target, in the target's units."""
    sigma: tuple[float, ...]
    """Deviation of the Gaussian noise fitted on validation, one a target."""
    coverage: Estimate
    """On test."""


@dataclass(frozen=True, kw_only=True)
class Test:
    """One look at the test part."""

    look: int
    """1 for the first look of this run."""
    metrics: Mapping[str, Estimate]
    confusion: tuple[tuple[int, ...], ...] | None = None
    """Rows: truth, columns: predicted; single-label only."""
    calibration: Calibration | None = None
    sure: Sure | None = None
    interval: Interval | None = None

    __test__ = False


@dataclass(frozen=True, kw_only=True)
class Importance:
    """How much worse the model gets when one thing is shuffled."""

    name: str
    loss: float
    """Drop of the metric (a rise, for errors), averaged over repeats."""
    spread: float
    """Standard deviation over the repeats."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that a run found."""

    metric: str
    higher_is_better: bool
    winner: str
    """Name of the candidate that the run returns."""
    verdict: tuple[str, ...]
    """In sentences, the most important first; when a baseline wins, that."""
    climb: tuple[str, ...]
    """Why the ladder was climbed, rung by rung, and where it stopped."""
    candidates: tuple[Candidate, ...]
    test: Test | None
    """None when the data has no test part or the run was stopped before it was looked at."""
    importance: tuple[Importance, ...] = ()
    saliency_similarity: float | None = None
    """Rank correlation of saliency maps with those of a network of random weights: near 0 is good; None: no maps."""
    seconds: Mapping[str, float] = Field(default_factory=dict)
    """Wall clock by stage: start, data, facts, measurements, baselines, each rung, prediction, report."""
    peak_memory_mib: float = 0.0
    """Largest resident memory of the process."""
    leaks: tuple[Leak, ...] = ()
    """Input columns that predict the target best by themselves."""
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    """Decisions that were journalled: cool-downs, back-offs, smaller micro-batches, settings not applied."""
