"""Images with other channels than most."""

import numpy as np

from fieldcraft.data.audit.seen import Seen
from fieldcraft.records.audit import Complaint

WORDS = {1: "gray", 3: "colour"}


def channels(seen: Seen) -> tuple[Complaint, ...]:
    """The minority among gray and colour files: all are read as colour, and colour may then give a class away."""
    if seen.copies is None:
        return ()
    read = seen.copies.channels
    kinds, counts = np.unique(read[read > 0], return_counts=True)
    if len(kinds) < 2:
        return ()
    usual = int(kinds[counts.argmax()])
    rows = np.flatnonzero((read > 0) & (read != usual))
    what = WORDS[3 if usual == 1 else 1]
    reason = f"{len(rows):,} image(s) are {what} among {int(counts.max()):,} that are {WORDS[usual]}"
    return (Complaint(kind="channels", severity="warn", reason=reason, samples=seen.names(rows)),)
