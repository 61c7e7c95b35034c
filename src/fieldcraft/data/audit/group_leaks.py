"""Groups that lie in more than one given part."""

import numpy as np

from fieldcraft.data.audit.seen import Seen, may_move
from fieldcraft.records.audit import Complaint


def group_leaks(seen: Seen) -> tuple[Complaint, ...]:
    """Test (or validation) samples whose group is in training as well; those to leave out are the ones in training."""
    given, groups = seen.dataset.given, seen.dataset.groups
    if given is None or groups is None:
        return ()
    found = []
    for judged, learnt in (("test", ("train", "validation")), ("validation", ("train",))):
        mine, theirs = given == judged, np.isin(given, learnt)
        torn = np.intersect1d(groups[mine], groups[theirs])
        if not len(torn):
            continue
        leaked, tested = int(np.isin(groups[mine], torn).sum()), int(mine.sum())
        rows = np.flatnonzero(theirs & np.isin(groups, torn))
        found.append(
            Complaint(
                kind="group-leak",
                severity="stop" if may_move(leaked / tested, tested) else "warn",
                reason=f"{len(torn):,} group(s) lie in {judged} and in training: {leaked:,} of {tested:,} {judged} "
                "samples have kin there, and the result would be too good",
                samples=seen.names(rows),
                details=tuple(f"{given[row]}; group {groups[row]} is in {judged}" for row in rows),
            )
        )
    return tuple(found)
