"""Evidence: what a proof found of one tip on one data set, without any of the data. A line of an evidence store."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fieldcraft.records.facts import Task
from fieldcraft.records.prior import Kind
from fieldcraft.records.proof import Effect, Stage, Word

CostName = Literal["seconds", "memory_mib", "parameters", "latency_ms"]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A difference, with the tip minus without."""

    value: float
    low: float | None
    high: float | None
    """The proof's own interval, valid whenever one looks; None where that end is still open."""
    error: float | None = None
    """Standard error of the value; None where the pairs did not differ, or are fewer than two."""
    pairs: int


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One verdict of one proof."""

    proof: str
    """Digest of what was asked: data, plan and setting. The same proof filed again has the same."""
    tip: str
    version: str
    """Digest of the tip's code; empty where that could not be read."""
    data: str
    """Digest of the data set."""
    name: str = ""
    """What the set is known by in public; empty for sets of one's own."""
    task: Task
    kind: Kind
    samples: Annotated[int, Field(ge=0)]
    facts: str
    """Digest of the facts that the plan was drafted from."""
    plan: str
    """Digest of the plan that the tip was changed in."""
    planned: bool
    """Whether the tip was part of that plan (and left out once) or not (and added once)."""
    metric: str
    higher_is_better: bool
    effect: Estimate | None
    """Positive: better with the tip. None where what decided was how often training diverged."""
    level: float | None
    """Mean metric of the plan as it stands."""
    word: Word
    margin: float
    """Effects below that were said not to matter."""
    alpha: float
    stage: Stage
    trial_s: float | None
    """Planned seconds of one training."""
    planned_s: float | None
    """What a fit of the plan takes at its full budget."""
    measures: Effect
    equal: Literal["minutes", "steps"]
    costs: Mapping[CostName, Estimate] = Field(default_factory=dict)
    controls: tuple[str, ...] = ()
    """Controls that were passed; a proof with a failed one is not filed."""
    processor: str
    cores: int
    gpu: str | None = None
    versions: Mapping[str, str] = Field(default_factory=dict)
    """Of the packages, where it was filed."""
    date: str
    """On which it was filed: 2026-01-31."""
