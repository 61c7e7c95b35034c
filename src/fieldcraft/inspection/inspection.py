"""An inspection: the anatomy of a module and what was found in it."""

from dataclasses import dataclass

from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.finding import Finding
from fieldcraft.tips.rule import Circumstances


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What `fc.inspect` gives."""

    anatomy: Anatomy
    findings: tuple[Finding, ...]
    circumstances: Circumstances
    ignored: int = 0
    """Findings left out by `--ignore`, `--select` or a `# fieldcraft: ignore` comment."""
