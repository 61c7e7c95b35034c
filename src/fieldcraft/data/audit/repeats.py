"""Samples that repeat another exactly: within a part, with another label, or across given parts."""

from collections import defaultdict

import numpy as np

from fieldcraft.data.audit.seen import Rows, Seen, may_move
from fieldcraft.data.dataset import Table
from fieldcraft.records.audit import Complaint


def repeats(seen: Seen) -> tuple[Complaint, ...]:
    """Exact duplicates; those with contradicting labels; those that take test or validation samples into training."""
    first = seen.first
    again = np.flatnonzero(first != np.arange(len(first)))
    if not len(again):
        return ()
    return (*_leaks(seen), *_contradictions(seen, again), *_duplicates(seen, again))


def _duplicates(seen: Seen, again: Rows) -> tuple[Complaint, ...]:
    same = [row for row in again if seen.part(row) == seen.part(seen.first[row])]
    if not same:
        return ()
    drawn = "" if seen.dataset.given is not None else "; parts that are drawn may tear the copies apart"
    reason = f"{len(same):,} of {len(seen.dataset):,} samples equal an earlier one{drawn}"
    details = tuple(f"equals {seen.dataset.ids[seen.first[row]]}" for row in same)
    return (Complaint(kind="duplicate", severity="warn", reason=reason, samples=seen.names(same), details=details),)


def _contradictions(seen: Seen, again: Rows) -> tuple[Complaint, ...]:
    targets = seen.dataset.targets
    differ = [row for row in again if not np.array_equal(targets.values[row], targets.values[seen.first[row]])]
    if not differ or isinstance(seen.dataset.inputs, Table):
        return ()
    reason = f"{len(differ):,} sample(s) equal another one that has another label: one of the two labels is wrong"
    details = tuple(f"equals {seen.dataset.ids[seen.first[row]]}" for row in differ)
    return (
        Complaint(kind="contradiction", severity="warn", reason=reason, samples=seen.names(differ), details=details),
    )


def _leaks(seen: Seen) -> tuple[Complaint, ...]:
    """Equal samples in two given parts. Those to leave out are the copies that are trained on (or chosen by).

    Rows of a table with few values repeat by chance. The null is how often a training row repeats another one of the
    training part: only what goes beyond it counts.
    """
    given = seen.dataset.given
    if given is None:
        return ()
    members: dict[int, list[int]] = defaultdict(list)
    for row, place in enumerate(seen.first):
        members[int(place)].append(row)
    torn = [rows for rows in members.values() if len({str(given[row]) for row in rows}) > 1]
    found = []
    for judged, learnt in (("test", ("train", "validation")), ("validation", ("train",))):
        pairs = [
            (row, next(other for other in rows if given[other] == judged))
            for rows in torn
            if any(given[row] == judged for row in rows)
            for row in rows
            if given[row] in learnt
        ]
        if not pairs:
            continue
        tested = int((given == judged).sum())
        leaked = sum(given[row] == judged for rows in torn for row in rows if _trained(rows, given, learnt))
        chance = _repeated_in_training(seen) if isinstance(seen.dataset.inputs, Table) else 0.0
        spoils = may_move(leaked / tested - chance, tested)
        null = f" ({chance:.1%} would repeat by chance, as within training)" if chance else ""
        found.append(
            Complaint(
                kind="leak",
                severity="stop" if spoils else "warn",
                reason=f"{leaked:,} of {tested:,} {judged} samples ({leaked / tested:.1%}) are in training as well"
                f"{null}: the result would be " + ("too good" if spoils else "a trifle too good"),
                samples=seen.names([row for row, _ in pairs]),
                details=tuple(f"{seen.part(row)}; equals {seen.dataset.ids[other]} ({judged})" for row, other in pairs),
            )
        )
    return tuple(found)


def _trained(rows: list[int], given: np.ndarray, learnt: tuple[str, ...]) -> bool:
    return any(given[row] in learnt for row in rows)


def _repeated_in_training(seen: Seen) -> float:
    """Share of training rows that equal another training row."""
    assert seen.dataset.given is not None
    inside = seen.first[seen.dataset.given == "train"]
    _, codes, counts = np.unique(inside, return_inverse=True, return_counts=True)
    return float((counts[codes] > 1).mean())
