"""NaN and infinity in images."""

from fieldcraft.data.audit.cases.seen import SeenCases
from fieldcraft.records.audit import Complaint


def not_finite(seen: SeenCases) -> tuple[Complaint, ...]:
    """One NaN makes the loss of every patch that holds it NaN."""
    rows = seen.where(lambda one: one.endless > 0)
    if not rows:
        return ()
    return (
        Complaint(
            kind="not-finite",
            severity="stop",
            reason=f"{len(rows):,} image(s) hold NaN or infinity",
            samples=seen.names(rows),
            details=tuple(f"{seen.of(row).endless:,} voxels of the image are NaN or infinity" for row in rows),
        ),
    )
