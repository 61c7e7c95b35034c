"""Masks with numbers that name no class, masks without any object, and classes in too few cases."""

import numpy as np

from fieldcraft.data.audit.cases.seen import SeenCases
from fieldcraft.data.near import listed
from fieldcraft.records.audit import Complaint

ENOUGH = 3
"""Cases with a class: one to train on, one to choose by, one to test on."""


def masks(seen: SeenCases) -> tuple[Complaint, ...]:
    """Unknown labels stop; empty masks are worth knowing, as they are right where nothing is to be found."""
    return (*_unknown(seen), *_empty(seen), *_rare(seen))


def _unknown(seen: SeenCases) -> tuple[Complaint, ...]:
    rows = seen.where(lambda one: bool(one.unknown))
    if not rows:
        return ()
    table = seen.inputs.table
    known = listed([f"#{value:06x}" if table.colours else str(value) for value in table.values], 8)
    details = []
    for row in rows:
        unknown = seen.of(row).unknown or {}
        shown = [f"{f'#{value:06x}' if table.colours else value} ({many:,} voxels)" for value, many in unknown.items()]
        details.append(f"its mask holds {listed(shown, 5)}, which name no class")
    return (
        Complaint(
            kind="unknown-label",
            severity="stop",
            reason=f"{len(rows):,} mask(s) hold numbers other than those of the classes ({known}): name them "
            "(dataset.json or classes.csv), or say --void NUMBER where they mean no label",
            samples=seen.names(rows),
            details=tuple(details),
        ),
    )


def _empty(seen: SeenCases) -> tuple[Complaint, ...]:
    rows = seen.where(lambda one: one.empty)
    if not rows:
        return ()
    reason = f"{len(rows):,} mask(s) are empty: nothing but the background (right where there is nothing to find)"
    return (Complaint(kind="empty-mask", severity="warn", reason=reason, samples=seen.names(rows)),)


def _rare(seen: SeenCases) -> tuple[Complaint, ...]:
    counts = (seen.dataset.targets.values != 0).sum(axis=0)
    few = [place for place, many in enumerate(np.asarray(counts).tolist()) if many < ENOUGH]
    if not few:
        return ()
    shown = listed((f"{seen.dataset.targets.names[place]}: {int(counts[place])}" for place in few), 6)
    reason = (
        f"{len(few):,} class(es) occur in fewer than {ENOUGH} cases ({shown}): hardly to be learnt, nor to be judged"
    )
    return (Complaint(kind="small-class", severity="warn", reason=reason),)
