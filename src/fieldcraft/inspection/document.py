"""An inspection as JSON: plain values under a schema version. Fractions are text, such as "1/2"."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction

from fieldcraft.inspection.inspection import Inspection
from fieldcraft.inspection.words import in_words
from fieldcraft.records.anatomy import Anatomy, InputField, Row
from fieldcraft.records.versions import Document, stamp


def to_json(inspection: Inspection) -> str:
    """Everything that is known, indented by one."""
    return json.dumps(to_document(inspection), indent=1, ensure_ascii=False)


def to_document(inspection: Inspection) -> Document:
    """Everything that is known, as plain values."""
    anatomy = inspection.anatomy
    objects = inspection.circumstances.objects_px or ()
    body: Document = {
        "name": anatomy.name,
        "batch": anatomy.batch,
        "traced": anatomy.how,
        "has_weights": anatomy.has_weights,
        "totals": {
            "parameters": anatomy.parameter_count,
            "macs": anatomy.macs,
            "uncounted": [row.index for row in anatomy.uncounted],
            "memory": _plain(anatomy.memory),
        },
        "inputs": [{"name": anatomy.values[one].name, "shape": list(anatomy.shape(one))} for one in anatomy.inputs],
        "outputs": [
            _output(anatomy, value, name, objects)
            for value, name in zip(anatomy.outputs, anatomy.output_names, strict=True)
        ],
        "circumstances": _plain(inspection.circumstances),
        "findings": [_plain(one) for one in inspection.findings],
        "ignored": inspection.ignored,
        "untraced": [_plain(one) for one in anatomy.untraced],
        "rows": [_row(anatomy, row, objects) for row in anatomy.rows],
        "modules": [_plain(one) for one in anatomy.modules],
        "parameters": [_plain(one) for one in anatomy.parameters],
    }
    return stamp("inspection", body)


def _field(field: InputField, objects: tuple[float, ...]) -> Document:
    axes: list[Document] = []
    for number, axis in enumerate(field.axes):
        ratios = {"ratio": axis.ratio, "objects": axis.ratio_to(objects, number) if objects else None}
        axes.append({**_values(axis), **ratios})
    return {"input": field.input, "axes": axes}


def _output(anatomy: Anatomy, value: int, name: str, objects: tuple[float, ...]) -> Document:
    row = anatomy.maker.get(value)
    return {
        "name": name,
        "shape": list(anatomy.shape(value)),
        "row": None if row is None else row.index,
        "fields": [] if row is None else [_field(one, objects) for one in row.fields],
    }


def _row(anatomy: Anatomy, row: Row, objects: tuple[float, ...]) -> Document:
    return {
        "index": row.index,
        "module": row.module,
        "kind": row.kind,
        "call": row.call,
        "operation": {"kind": type(row.operation).__name__.lower(), **_values(row.operation)},
        "words": in_words(row.operation),
        "source": row.source,
        "inputs": list(row.inputs),
        "outputs": [
            {"id": one, "shape": list(anatomy.shape(one)), "dtype": anatomy.values[one].dtype} for one in row.outputs
        ],
        "parameters": list(row.parameters),
        "location": _plain(row.location),
        "fields": [_field(one, objects) for one in row.fields],
        "cost": _plain(row.cost),
    }


def _values(one: object) -> Document:
    """Fields of a record; an own `kind` of it stands as `of`, so that it does not hide the record's."""
    return {("of" if item.name == "kind" else item.name): _plain(getattr(one, item.name)) for item in fields(one)}  # type: ignore[arg-type]


def _plain(one: object) -> object:
    if isinstance(one, Enum):
        return one.value
    if isinstance(one, Fraction):
        return str(one)
    if isinstance(one, Mapping):
        return {str(key): _plain(value) for key, value in one.items()}
    if isinstance(one, tuple | list):
        return [_plain(part) for part in one]
    if is_dataclass(one) and not isinstance(one, type):
        return {item.name: _plain(getattr(one, item.name)) for item in fields(one)}
    return one
