"""Every symptom that some tip watches for, and what they all say of some training."""

from collections.abc import Iterable

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips import ALL
from fieldcraft.tips.outside import with_outside
from fieldcraft.tips.watch import Watch

ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)


def all_watches() -> tuple[Watch, ...]:
    """The watches of all tips, those of other packages too, in the order of their codes."""
    return tuple(sorted((watch for tip in with_outside(ALL) for watch in tip.watches), key=lambda watch: watch.code))


def diagnose(records: Iterable[TrainingRecord]) -> tuple[Finding, ...]:
    """The findings of every watch on every record; the worst first."""
    watches = all_watches()
    found = [finding for record in records for watch in watches for finding in watch.see(record)]
    return tuple(sorted(found, key=lambda finding: ORDER.index(finding.severity)))
