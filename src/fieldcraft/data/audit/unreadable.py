"""Files that are damaged, truncated, empty or no images."""

from fieldcraft.data.audit.seen import Seen
from fieldcraft.records.audit import Complaint


def unreadable(seen: Seen) -> tuple[Complaint, ...]:
    """Every file whose header or pixels cannot be read."""
    found = {problem.sample: problem.reason for problem in seen.dataset.problems}
    if seen.copies is not None:
        found |= {seen.dataset.ids[row]: reason for row, reason in sorted(seen.copies.broken.items())}
    if not found:
        return ()
    return (
        Complaint(
            kind="unreadable",
            severity="stop",
            reason=f"{len(found):,} sample(s) cannot be read",
            samples=tuple(found),
            details=tuple(found.values()),
        ),
    )
