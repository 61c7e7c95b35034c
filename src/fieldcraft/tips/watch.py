"""What the watch hand of a tip is: a symptom with a stable code, looked for in what training did."""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.rule import named

HEADINGS = ("Why", "Instead", "Leave it", "Source")
"""Of a symptom's page, after its first line."""
See = Callable[[TrainingRecord], Iterable[Finding]]


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One symptom of training. Its module's docstring is its page."""

    code: str
    """Stable: FC101."""
    name: str
    """What is seen: vanishing-gradients."""
    severity: Severity
    """The highest that it gives."""
    see: See

    @property
    def card(self) -> str:
        """What it sees, why it matters, what to change, when to leave it, its source."""
        module = inspect.getmodule(self.see)
        return inspect.cleandoc((module.__doc__ if module else None) or "")

    def finding(
        self,
        record: TrainingRecord,
        message: str,
        *,
        remedy: str,
        layers: Sequence[str] = (),
        numbers: Mapping[str, float] | None = None,
        severity: Severity | None = None,
    ) -> Finding:
        """What was seen while one network trained, with what to change."""
        where = f"{record.rung}: {named(layers)}" if layers else record.rung
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            subject=where,
            numbers=numbers or {},
            remedy=remedy,
            message=message,
            layers=tuple(layers),
        )
