"""NaN and infinity among pixels, numbers of a table, and targets."""

import numpy as np

from fieldcraft.data.audit.seen import Seen
from fieldcraft.data.dataset import Table
from fieldcraft.records.audit import Complaint


def not_finite(seen: Seen) -> tuple[Complaint, ...]:
    """NaN or infinity in an image, infinity in a table (there NaN is a missing value), either in a target."""
    inputs, targets = seen.dataset.inputs, seen.dataset.targets
    if isinstance(inputs, Table):
        numeric = [name for name, role in inputs.roles if role == "numeric"]
        values = inputs.frame[numeric].to_numpy(dtype=np.float64, na_value=np.nan)
        found, what = np.isinf(values).any(axis=1), "infinity in a column of numbers"
    else:
        assert seen.copies is not None
        found, what = seen.copies.endless, "NaN or infinity"
    rows, wrong = np.flatnonzero(found), np.empty(0, np.int64)
    if targets.task == "regression":
        wrong = np.flatnonzero(~np.isfinite(targets.values.astype(np.float64)).all(axis=1))
    return tuple(
        Complaint(
            kind="not-finite",
            severity="stop",
            reason=f"{len(blamed):,} sample(s) hold {words}",
            samples=seen.names(blamed),
        )
        for blamed, words in ((rows, what), (wrong, "NaN or infinity in the target"))
        if len(blamed)
    )
