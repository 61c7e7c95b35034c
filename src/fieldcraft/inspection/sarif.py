"""Findings as SARIF 2.1.0, the form that code hosts and editors read.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) version 2.1.0, 2020.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from fieldcraft.inspection.inspection import Inspection
from fieldcraft.inspection.places import shown_path
from fieldcraft.records.anatomy import Location
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.versions import Document

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Mapping[Severity, str] = {Severity.INFO: "note", Severity.WARNING: "warning", Severity.ERROR: "error"}


def to_sarif(inspection: Inspection) -> str:
    """One run of one tool: a rule a code that was found, a result a finding."""
    return json.dumps(to_document(inspection), indent=1, ensure_ascii=False)


def to_document(inspection: Inspection) -> Document:
    """The log as plain values."""
    codes = list(dict.fromkeys(one.code for one in inspection.findings))
    driver = {
        "name": "fieldcraft",
        "version": _version(),
        "rules": [_rule(code, inspection.findings) for code in codes],
    }
    results = [_result(one, codes.index(one.code), inspection.anatomy.name) for one in inspection.findings]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rule(code: str, findings: Sequence[Finding]) -> Document:
    first = next(one for one in findings if one.code == code)
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in first.name.split("-")),
        "shortDescription": {"text": first.name.replace("-", " ")},
        "help": {"text": first.remedy},
        "defaultConfiguration": {"level": LEVELS[first.severity]},
    }


def _result(one: Finding, index: int, name: str) -> Document:
    physical = {"physicalLocation": _physical(one.location)} if one.location is not None else {}
    logical = [{"fullyQualifiedName": f"{name}.{layer}", "kind": "member"} for layer in one.layers]
    place = {**physical, **({"logicalLocations": logical} if logical else {})}
    return {
        "ruleId": one.code,
        "ruleIndex": index,
        "level": LEVELS[one.severity],
        "message": {"text": f"{one.message or one.subject} {one.remedy}".strip()},
        **({"locations": [place]} if place else {}),
        "properties": {"subject": one.subject, "numbers": dict(one.numbers)},
    }


def _physical(location: Location) -> Document:
    path = Path(shown_path(location.file))
    artifact = {"uri": path.as_uri() if path.is_absolute() else path.as_posix()}
    if not location.line:
        return {"artifactLocation": artifact}
    return {
        "artifactLocation": artifact,
        "region": {"startLine": location.line, "snippet": {"text": location.text}},
    }


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("fieldcraft")
    except PackageNotFoundError:
        return "0"
