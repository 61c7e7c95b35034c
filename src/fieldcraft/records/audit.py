"""What an audit of the samples found: the content of `audit.json`."""

from typing import Literal

from pydantic.dataclasses import dataclass

Kind = Literal[
    "unreadable",
    "not-finite",
    "constant",
    "channels",
    "label-out-of-range",
    "small-class",
    "duplicate",
    "contradiction",
    "near-duplicate",
    "leak",
    "near-leak",
    "group-leak",
    "shift",
    "unpaired",
    "shape-mismatch",
    "spacing-mismatch",
    "orientation-mismatch",
    "bad-spacing",
    "too-many-axes",
    "mixed-dimensions",
    "mixed-channels",
    "unknown-label",
    "empty-mask",
    "lossy-mask",
    "nothing-to-learn",
]
Weight = Literal["stop", "warn"]


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """One thing that is wrong with some samples."""

    kind: Kind
    severity: Weight
    """"stop": it would spoil the result. "warn": worth knowing."""
    reason: str
    """In one sentence, with its numbers; for all of the samples."""
    samples: tuple[str, ...] = ()
    """Those that would be left out, by name; of a leak, the copies in training. Empty when no sample is to blame."""
    details: tuple[str, ...] = ()
    """A reason of its own for each sample, or empty."""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Every complaint, and what was looked at."""

    samples: int
    complaints: tuple[Complaint, ...]
    looked: tuple[str, ...]
    """What each check looked at, with its threshold; and what there was no time for."""
    seconds: float
    skipped: tuple[str, ...] = ()
    """Samples that were left out because the user said so."""
    relabelled: int = 0
    """Samples whose label was corrected by the user."""

    @property
    def stops(self) -> tuple[Complaint, ...]:
        """What would spoil the result."""
        return tuple(one for one in self.complaints if one.severity == "stop")

    @property
    def warnings(self) -> tuple[Complaint, ...]:
        """What is worth knowing."""
        return tuple(one for one in self.complaints if one.severity == "warn")
