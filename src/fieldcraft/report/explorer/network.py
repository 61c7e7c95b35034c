"""An inspection as the data that the page's script reads: columns of numbers, every text once."""

import os
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from fieldcraft.inspection.inspection import Inspection
from fieldcraft.records.anatomy import Anatomy, AxisField, InputField, Location, Row
from fieldcraft.records.finding import Finding
from fieldcraft.report.explorer.words import in_words, is_quiet

Json = Mapping[str, object]


class Once:
    """Values by number, each kept once."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}

    def __call__(self, value: object) -> int:
        """The value's number."""
        return self._numbers.setdefault(value, len(self._numbers))

    @property
    def values(self) -> list[object]:
        """In the order of their numbers."""
        return list(self._numbers)


def network_data(inspection: Inspection) -> Json:
    """Everything that the page shows of the network, as plain JSON values."""
    anatomy = inspection.anatomy
    texts, shapes, fields = Once(), Once(), Once()
    return {
        "name": anatomy.name,
        "batch": anatomy.batch,
        "objects": inspection.circumstances.objects_px,
        "inputs": [_input(anatomy, value) for value in anatomy.inputs],
        "rows": _rows(anatomy, texts, shapes, fields),
        "kinds": {one.path: texts(one.kind) for one in anatomy.modules},
        "findings": [_finding(anatomy, finding) for finding in inspection.findings],
        "texts": texts.values,
        "shapes": shapes.values,
        "fields": [_fields(anatomy, one) for one in fields.values],
    }


def shortened(file: str) -> str:
    """A path without what is only true of this machine: from the installed package, or from the folder of work on."""
    path = Path(file)
    if "site-packages" in path.parts:
        return str(Path(*path.parts[len(path.parts) - path.parts[::-1].index("site-packages") :]))
    try:
        return os.path.relpath(file) if path.is_relative_to(Path.cwd()) else file
    except OSError:
        return file


def _input(anatomy: Anatomy, value: int) -> Json:
    one = anatomy.values[value]
    return {"name": one.name or "input", "shape": one.shape, "dtype": one.dtype}


def _rows(anatomy: Anatomy, texts: Once, shapes: Once, fields: Once) -> Json:
    rows = anatomy.rows
    out = dict(zip(anatomy.outputs, anatomy.output_names, strict=True))
    return {
        "module": [texts(row.module) for row in rows],
        "kind": [texts(row.kind) for row in rows],
        "call": [row.call for row in rows],
        "operation": [texts(type(row.operation).__name__) for row in rows],
        "words": [texts(in_words(row.operation)) for row in rows],
        "source": [texts(row.source) for row in rows],
        "quiet": [int(_is_quiet(row)) for row in rows],
        "from": [_sources(anatomy, row) for row in rows],
        "reads": [[shapes(anatomy.shape(value)) for value in row.inputs] for row in rows],
        "makes": [shapes(anatomy.shape(row.outputs[0])) if row.outputs else -1 for row in rows],
        "fields": [fields(row.fields) for row in rows],
        "macs": [row.cost.macs for row in rows],
        "read": [row.cost.read for row in rows],
        "written": [row.cost.written for row in rows],
        "parameters": [row.cost.parameters for row in rows],
        "place": [texts(_place(row.location)) for row in rows],
        "line": [texts(row.location.text if row.location else "") for row in rows],
        "output": [texts(", ".join(out[value] for value in row.outputs if value in out)) for row in rows],
    }


def _sources(anatomy: Anatomy, row: Row) -> list[int]:
    """Indices of the rows that a row reads from; -1 - k is the network's input k."""
    found = [
        anatomy.maker[value].index if value in anatomy.maker else -1 - anatomy.inputs.index(value)
        for value in row.inputs
        if value in anatomy.maker or value in anatomy.inputs
    ]
    return list(dict.fromkeys(found))


def _is_quiet(row: Row) -> bool:
    """Computes nothing, or only prepares constants, so that the graph is readable without it."""
    prepares = not row.inputs and not row.cost.parameters and not row.cost.macs
    return is_quiet(row.operation) or prepares


def _place(location: Location | None) -> str:
    if location is None:
        return ""
    return f"{shortened(location.file)}:{location.line}" if location.line else location.text or location.file


def _fields(anatomy: Anatomy, fields: object) -> list[Json]:
    assert isinstance(fields, tuple)
    names = [anatomy.values[value].name for value in anatomy.inputs]
    return [_field(names, one) for one in fields]


def _field(names: Sequence[str], one: InputField) -> Json:
    return {
        "input": names.index(one.input) if one.input in names else 0,
        "axes": [_axis(axis) for axis in one.axes],
    }


def _axis(axis: AxisField) -> Json:
    flags = {
        "everywhere": axis.everywhere,
        "perUnit": axis.per_unit,
        "bound": not axis.exact,
        "cut": axis.exact and not axis.exact_at_border,
        "unaligned": not axis.aligned,
    }
    return {
        "size": axis.size,
        "full": axis.full,
        "least": axis.least,
        "stride": _fraction(axis.stride),
        "start": _fraction(axis.start),
        **{name: 1 for name, true in flags.items() if true},
    }


def _fraction(value: Fraction | None) -> list[int] | None:
    return None if value is None else [value.numerator, value.denominator]


def _finding(anatomy: Anatomy, finding: Finding) -> Json:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "subject": finding.subject,
        "message": finding.message or finding.subject,
        "remedy": finding.remedy,
        "place": _place(finding.location),
        "rows": [row for row in finding.rows if 0 <= row < len(anatomy.rows)] or _rows_of(anatomy, finding.layers),
    }


def _rows_of(anatomy: Anatomy, layers: Sequence[str]) -> list[int]:
    """The first operation of each layer."""
    found = (
        next((row.index for row in anatomy.rows if row.module == path or row.module.startswith(f"{path}.")), None)
        for path in layers
    )
    return [index for index in found if index is not None]
