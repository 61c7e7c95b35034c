"""What looks at validation decide: where a plateau cuts the rate, and where patience ends a rung.

Both are functions of the looks so far and of nothing else, so that a resumed or repeated rung decides the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fieldcraft.plan.schema import Patience, Plateau


@dataclass(frozen=True)
class Seen:
    """One look at the validation part."""

    step: int
    """Optimiser steps taken by then."""
    metric: float


def best(seen: Sequence[Seen], *, higher: bool) -> Seen | None:
    """The best look; of equals, and of values that are no numbers, the first. None when there was none.

    `higher`: whether larger values of the metric are better.
    """
    found: Seen | None = None
    for one in seen:
        if found is None or _gain(one, found, higher) > 0:
            found = one
    return found


def cuts(plateau: Plateau, seen: Sequence[Seen], *, higher: bool, first: int = 0) -> tuple[int, ...]:
    """Steps after which the rate is cut: `patience` looks in a row gained no more than `min_gain`; counted anew then.

    Looks before step `first`, while the rate still rises, are left out. As torch's ReduceLROnPlateau, where patience
    is one less (it waits for one look more).
    """
    found: list[int] = []
    top: Seen | None = None
    waited = 0
    for one in seen:
        if one.step < first:
            continue
        if top is None or _gain(one, top, higher) > plateau.min_gain:
            top, waited = one, 0
            continue
        waited += 1
        if waited == plateau.patience:
            found.append(one.step)
            waited = 0
    return tuple(found)


def ended(patience: Patience, seen: Sequence[Seen], *, higher: bool) -> bool:
    """Whether the last `looks` looks gained no more than `min_gain` over the best before them."""
    top: Seen | None = None
    waited = 0
    for one in seen:
        if top is None or _gain(one, top, higher) > patience.min_gain:
            top, waited = one, 0
        else:
            waited += 1
    return waited >= patience.looks


def _gain(new: Seen, old: Seen, higher: bool) -> float:
    """How much better the new one is; anything is better than no number."""
    if old.metric != old.metric and new.metric == new.metric:
        return float("inf")
    return new.metric - old.metric if higher else old.metric - new.metric
