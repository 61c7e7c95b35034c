"""What the audit of the samples found."""

from dataclasses import dataclass

from fieldcraft.records.audit import Complaint
from fieldcraft.report.page import Table, columns
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import plural, whole

ROWS = 100


@dataclass(frozen=True)
class Audited:
    """Complaints, sample by sample, and what was done about them."""

    intro: str
    reasons: tuple[str, ...]
    table: Table | None
    looked: tuple[str, ...]


def audit(run: Run) -> Audited | None:
    """Nothing for runs that were made before there was an audit."""
    found = run.audit
    if found is None:
        return None
    parts = [
        f"{plural(len(found.complaints), 'complaint')} about {whole(found.samples)} samples."
        if found.complaints
        else f"Nothing wrong was found with {whole(found.samples)} samples."
    ]
    if found.skipped:
        parts.append(f"{plural(len(found.skipped), 'sample')} that would have spoilt the result were left out.")
    if found.relabelled:
        parts.append(f"{plural(found.relabelled, 'label')} were corrected by hand.")
    rows = [row for one in found.complaints for row in _rows(one)]
    table = None
    if rows:
        cut = f" The first {ROWS} of {whole(len(rows))}; audit.json has all." if len(rows) > ROWS else ""
        head = columns("Severity", "Kind", "Sample", "Reason")
        table = Table(f"Sample by sample.{cut}", head, tuple(rows[:ROWS]))
    reasons = tuple(f"{one.reason}." for one in found.complaints)
    return Audited(" ".join(parts), reasons, table, tuple(f"{text[0].upper()}{text[1:]}." for text in found.looked))


def _rows(one: Complaint) -> list[tuple[str, ...]]:
    details = one.details or ("",) * len(one.samples)
    return [
        (one.severity, one.kind, sample, detail or one.reason)
        for sample, detail in zip(one.samples, details, strict=True)
    ]
