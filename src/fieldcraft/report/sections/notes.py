"""Findings, and what else a reader of the run should know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fieldcraft.records.finding import Finding
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import number

ENTRIES = 200


@dataclass(frozen=True)
class Found:
    """A finding in words."""

    code: str
    name: str
    severity: str
    subject: str
    message: str
    numbers: str
    remedy: str


@dataclass(frozen=True)
class Notes:
    """Findings, notes and the journal."""

    findings: tuple[Found, ...]
    notes: tuple[str, ...]
    journal: tuple[str, ...]
    """Decisions in the order they were journalled."""


def notes(run: Run) -> Notes:
    """Everything that is worth knowing beside the numbers."""
    results = run.results
    order = {"error": 0, "warning": 1, "info": 2}
    findings = sorted(results.findings, key=lambda each: order[each.severity.value]) if results else []
    journal = tuple(_entry(each) for each in run.journal if each.get("event") != "tick")
    return Notes(tuple(_found(each) for each in findings), results.notes if results else (), journal[-ENTRIES:])


def _found(finding: Finding) -> Found:
    numbers = ", ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in finding.numbers.items())
    return Found(
        finding.code, finding.name, finding.severity.value, finding.subject, finding.message, numbers, finding.remedy
    )


def _entry(entry: Mapping[str, Any]) -> str:
    event = str(entry.get("event", "entry"))
    rest = [
        f"{key} {_value(value)}" for key, value in entry.items() if key not in ("schema", "event", "because", "text")
    ]
    said = str(entry.get("because", entry.get("text", "")))
    return ": ".join(part for part in (event, ", ".join(rest), said) if part)


def _value(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return " ".join(str(each) for each in value[:8]) + (" …" if len(value) > 8 else "")
    return str(value)
