"""What stands below the table of layers: totals, fields of the outputs, what is not known, and the findings."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from fieldcraft.inspection.inspection import Inspection
from fieldcraft.inspection.places import short_path
from fieldcraft.inspection.words import amount, memory, sizes
from fieldcraft.records.anatomy import Anatomy, AxisField, InputField
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Unknown

Style = Literal["", "error", "warning", "info", "heading", "faint"]
ORDER = (Severity.ERROR, Severity.WARNING, Severity.INFO)
EACH = 3
"""Findings of one code that are told in full; the rest are counted."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """One paragraph."""

    text: str
    style: Style = ""
    indent: int = 0


def summary(inspection: Inspection) -> Iterator[Told]:
    """Every paragraph, in order."""
    yield from _totals(inspection.anatomy)
    yield from _fields(inspection.anatomy)
    yield from _last_map(inspection.anatomy)
    yield from _unknown(inspection.anatomy)
    yield from _findings(inspection)


def _totals(anatomy: Anatomy) -> Iterator[Told]:
    shapes = ", ".join(sizes(anatomy.shape(one)) for one in anatomy.inputs)
    yield Told(text=f"{anatomy.name} on {shapes}", style="heading")
    yield Told(
        text=f"{amount(anatomy.parameter_count) or '0'} parameters, {amount(anatomy.macs) or '0'} multiply-adds for a "
        f"batch of {anatomy.batch}, {len(anatomy.rows):,} operations"
    )
    kept = anatomy.memory.training
    training = f"training keeps {memory(kept)}" if kept is not None else f"training: {anatomy.memory.training_reason}"
    note = f" ({anatomy.memory.training_note})" if anatomy.memory.training_note else ""
    yield Told(text=f"Activations: inference {memory(anatomy.memory.inference)}, {training}{note}")


def _fields(anatomy: Anatomy) -> Iterator[Told]:
    for value, name in zip(anatomy.outputs, anatomy.output_names, strict=True):
        row = anatomy.maker.get(value)
        for one in row.fields if row is not None else ():
            if one.axes:
                yield Told(text=f"Output {name} sees {_seen(one)}")


def _last_map(anatomy: Anatomy) -> Iterator[Told]:
    """Of the last row whose units see different parts, when the outputs see everything."""
    maps = [row for row in anatomy.rows if row.fields and any(one.stride is not None for one in row.fields[0].axes)]
    if maps and maps[-1].outputs != anatomy.outputs and any(one.size > 1 for one in maps[-1].fields[0].axes):
        yield Told(
            text=f"The last layer with a field of its own, {maps[-1].module or 'top'}, sees {_seen(maps[-1].fields[0])}"
        )


def _seen(field: InputField) -> str:
    """How much of which input."""
    if all(one.everywhere for one in field.axes):
        return f"all of {field.input}"
    return f"{' by '.join(_axis(one) for one in field.axes)} px of {field.input}"


def _axis(one: AxisField) -> str:
    local = "all" if one.everywhere else f"{'' if one.exact else 'at most '}{one.size}"
    return local if one.everywhere or one.full == one.size else f"{local} (with norms and gates {one.full})"


def _unknown(anatomy: Anatomy) -> Iterator[Told]:
    names = sorted({row.operation.name for row in anatomy.rows if isinstance(row.operation, Unknown)})
    if names:
        yield Told(text=f"No rule for {', '.join(names)}: fields behind them are bounds", style="warning")
    uncounted = sorted({row.source for row in anatomy.uncounted})
    if uncounted:
        listed = ", ".join(uncounted[:6]) + (f" and {len(uncounted) - 6} more" if len(uncounted) > 6 else "")
        yield Told(text=f"Multiply-adds not counted: {listed}", style="warning")
    if anatomy.how == "real":
        yield Told(text="Traced with small random numbers, since its control flow depends on values", style="faint")
    for one in anatomy.untraced:
        yield Told(text=f"Not traced: {one.what} ({one.reason})", style="faint")
    if not anatomy.has_weights:
        yield Told(text="Built without numbers: checks that look at weights were left out", style="faint")


def _findings(inspection: Inspection) -> Iterator[Told]:
    left_out = f" ({inspection.ignored} ignored)" if inspection.ignored else ""
    if not inspection.findings:
        yield Told(text=f"No findings{left_out}", style="heading")
        return
    yield Told(text="")
    counts = [(one, sum(found.severity == one for found in inspection.findings)) for one in ORDER]
    listed = ", ".join(f"{count} {one}{'s' if count > 1 and one != 'info' else ''}" for one, count in counts if count)
    yield Told(text=f"Findings: {listed}{left_out}", style="heading")
    ordered = sorted(inspection.findings, key=lambda one: (ORDER.index(one.severity), one.code))
    for _, group in groupby(ordered, key=lambda one: (one.severity, one.code)):
        yield from _one_code(list(group))


def _one_code(found: list[Finding]) -> Iterator[Told]:
    first = found[0]
    times = f", {len(found)} times" if len(found) > 1 else ""
    yield Told(text=f"{first.code} {first.name} ({first.severity}{times})", style=first.severity.value, indent=0)
    for one in found[:EACH]:
        where = f" [{place}]" if (place := _place(one)) else ""
        yield Told(text=f"{one.message or one.subject}{where}", indent=1)
    if len(found) > EACH:
        yield Told(text=f"and {len(found) - EACH} more like these", style="faint", indent=1)
    yield Told(text=f"Do: {first.remedy}", indent=1)


def _place(one: Finding) -> str:
    if one.location is None:
        return ""
    if not one.location.line:
        return one.location.text
    return f"{short_path(one.location.file)}:{one.location.line}"
