"""Images without anything on them."""

from fieldcraft.data.audit.cases.seen import SeenCases
from fieldcraft.records.audit import Complaint


def constant(seen: SeenCases) -> tuple[Complaint, ...]:
    """Images, or single channels, whose voxels all have one value."""
    rows = seen.where(lambda one: bool(one.flat))
    if not rows:
        return ()
    return (
        Complaint(
            kind="constant",
            severity="warn",
            reason=f"{len(rows):,} image(s) hold one value only in a channel, so there is nothing to see in it",
            samples=seen.names(rows),
            details=tuple(f"constant: channel {', '.join(map(str, seen.of(row).flat))}" for row in rows),
        ),
    )
