"""Images without anything on them."""

import numpy as np

from fieldcraft.data.audit.seen import Seen
from fieldcraft.records.audit import Complaint


def constant(seen: Seen) -> tuple[Complaint, ...]:
    """Images whose pixels all have one value: a closed shutter, an empty slice, a failed export."""
    if seen.copies is None:
        return ()
    rows = np.flatnonzero(seen.copies.flat)
    if not len(rows):
        return ()
    reason = f"{len(rows):,} image(s) hold one value only, so there is nothing to see on them"
    return (Complaint(kind="constant", severity="warn", reason=reason, samples=seen.names(rows)),)
