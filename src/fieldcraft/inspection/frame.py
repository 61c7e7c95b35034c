"""An inspection as a pandas frame."""

from typing import TYPE_CHECKING

from fieldcraft.inspection.inspection import Inspection
from fieldcraft.inspection.words import in_words
from fieldcraft.records.anatomy import Anatomy, Row

if TYPE_CHECKING:
    import pandas as pd


def to_frame(inspection: Inspection) -> "pd.DataFrame":
    """A line for each operation, in the order in which they ran; fields as `field:INPUT:AXIS` in pixels.

    `ratio` is the field's size against the input, `objects` against the extent of the objects where that is known.
    """
    import pandas as pd

    anatomy = inspection.anatomy
    codes: dict[int, list[str]] = {}
    for finding in inspection.findings:
        for row in finding.rows:
            codes.setdefault(row, []).append(finding.code)
    objects = inspection.circumstances.objects_px or ()
    return pd.DataFrame([_record(anatomy, row, codes.get(row.index, []), objects) for row in anatomy.rows])


def _record(anatomy: Anatomy, row: Row, codes: list[str], objects: tuple[float, ...]) -> dict[str, object]:
    shape = anatomy.shape(row.outputs[0]) if row.outputs else ()
    record: dict[str, object] = {
        "module": row.module,
        "kind": row.kind,
        "call": row.call,
        "operation": type(row.operation).__name__.lower(),
        "what": in_words(row.operation),
        "shape": shape,
        "parameters": row.cost.parameters,
        "macs": row.cost.macs,
        "bytes_read": row.cost.read,
        "bytes_written": row.cost.written,
        "findings": " ".join(dict.fromkeys(codes)),
        "file": row.location.file if row.location else "",
        "line": row.location.line if row.location else 0,
    }
    for one in row.fields:
        for number, axis in enumerate(one.axes):
            where = f"{one.input}:{number}"
            record[f"field:{where}"] = axis.size
            record[f"full:{where}"] = axis.full
            record[f"least:{where}"] = axis.least
            record[f"stride:{where}"] = None if axis.stride is None else float(axis.stride)
            record[f"start:{where}"] = None if axis.start is None else float(axis.start)
            record[f"everywhere:{where}"] = axis.everywhere
            record[f"exact:{where}"] = axis.exact
            record[f"exact_at_border:{where}"] = axis.exact_at_border
            record[f"ratio:{where}"] = axis.ratio
            if objects:
                record[f"objects:{where}"] = axis.ratio_to(objects, number)
    return record
