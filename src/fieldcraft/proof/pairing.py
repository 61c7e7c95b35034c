"""Pairs out of a journal: the trial with a factor and the one without it, of one seed and one fold."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, takewhile
from math import isfinite

from fieldcraft.records.proof import ArmKind, Outcome, Setting, Stage


@dataclass(frozen=True)
class Both:
    """A pair of which both trials have ended."""

    pair: int
    on: Outcome
    off: Outcome
    base: Outcome
    """The one of the two that is the plan as it stands."""
    changed: Outcome

    @property
    def counts(self) -> bool:
        """Both have a score."""
        return scored(self.on) and scored(self.off)

    @property
    def only_changed_diverged(self) -> bool:
        """The changed arm diverged where the base trained."""
        return self.changed.diverged and scored(self.base)

    @property
    def only_base_diverged(self) -> bool:
        """The base diverged where the changed arm trained."""
        return self.base.diverged and scored(self.changed)


def scored(outcome: Outcome) -> bool:
    """It has a score that is a number."""
    return outcome.score is not None and isfinite(outcome.score)


def pairs_of(
    setting: Setting, outcomes: Sequence[Outcome], stage: Stage, *, factor: str | None = None, kind: ArmKind = "toggled"
) -> tuple[Both, ...]:
    """Pairs of a factor, or of the one arm of a kind ("placebo", "poison", "kept"), in order, without a gap.

    They begin with the lowest pair that the changed arm ran and reach until the first of which a trial has not ended:
    what ends early may not jump the queue, or else quick trainings would be looked at first. Of a trial that was
    repeated the first outcome with a score counts.
    """
    base: dict[int, Outcome] = {}
    other: dict[int, Outcome] = {}
    for outcome in outcomes:
        arm = outcome.trial.arm
        if outcome.trial.stage != stage:
            continue
        if arm.kind == "base":
            _keep(base, outcome)
        elif arm.kind == kind and (factor is None or set(arm.on) ^ set(setting.base) == {factor}):
            _keep(other, outcome)
    in_both = takewhile(lambda pair: pair in base and pair in other, count(min(other, default=0)))
    taken_out = factor in setting.base
    return tuple(
        Both(
            pair,
            on=(base if taken_out else other)[pair],
            off=(other if taken_out else base)[pair],
            base=base[pair],
            changed=other[pair],
        )
        for pair in in_both
    )


def _keep(kept: dict[int, Outcome], outcome: Outcome) -> None:
    pair = outcome.trial.pair
    if pair not in kept or (scored(outcome) and not scored(kept[pair])):
        kept[pair] = outcome


def difference(setting: Setting, both: Both) -> float:
    """On minus off; positive when it is better with it."""
    assert both.on.score is not None and both.off.score is not None
    gain = both.on.score - both.off.score
    return gain if setting.higher_is_better else -gain
