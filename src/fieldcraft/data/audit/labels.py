"""Labels that name no class, and classes with too few samples."""

import numpy as np

from fieldcraft.data.audit.seen import Seen
from fieldcraft.data.near import listed
from fieldcraft.records.audit import Complaint

ENOUGH = 10
"""Samples of a class from which on it can be learnt and judged at all."""


def labels(seen: Seen) -> tuple[Complaint, ...]:
    """Class numbers outside of the names, multi-label marks other than 0 and 1; classes with few samples."""
    targets = seen.dataset.targets
    if targets.task == "regression":
        return ()
    values = targets.values.astype(np.int64)
    if targets.task == "multi-label":
        odd = np.flatnonzero(~np.isin(values, (0, 1)).all(axis=1))
        counts = (values == 1).sum(axis=0)
    else:
        odd = np.flatnonzero((values < 0) | (values >= len(targets.names)))
        counts = np.bincount(np.delete(values, odd), minlength=len(targets.names))
    return (*_out_of_range(seen, odd), *_few(seen, values, counts))


def _out_of_range(seen: Seen, rows: np.ndarray) -> tuple[Complaint, ...]:
    if not len(rows):
        return ()
    targets = seen.dataset.targets
    allowed = "0 and 1" if targets.task == "multi-label" else f"0 to {len(targets.names) - 1}"
    return (
        Complaint(
            kind="label-out-of-range",
            severity="stop",
            reason=f"{len(rows):,} sample(s) have labels other than {allowed}",
            samples=seen.names(rows),
            details=tuple(f"label {np.asarray(targets.values[row]).tolist()}" for row in rows),
        ),
    )


def _few(seen: Seen, values: np.ndarray, counts: np.ndarray) -> tuple[Complaint, ...]:
    names, single = seen.dataset.targets.names, seen.dataset.targets.task == "single-label"
    alone = [place for place, count in enumerate(counts) if count == 1 and single]
    few = [place for place, count in enumerate(counts) if place not in alone and count < ENOUGH]
    found = []
    if alone:
        rows = [int(np.flatnonzero(values == place)[0]) for place in alone]
        found.append(
            Complaint(
                kind="small-class",
                severity="stop",
                reason=f"{len(alone):,} class(es) have one sample only ({listed(names[place] for place in alone)}): a "
                "class needs two at least, one to learn from and one to check with",
                samples=seen.names(rows),
            )
        )
    if few:
        shown = listed((f"{names[place]}: {counts[place]}" for place in few), 6)
        what = "class(es)" if single else "label(s)"
        reason = (
            f"{len(few):,} {what} have fewer than {ENOUGH} samples ({shown}): hardly to be learnt, nor to be judged"
        )
        found.append(Complaint(kind="small-class", severity="warn", reason=reason))
    return tuple(found)
