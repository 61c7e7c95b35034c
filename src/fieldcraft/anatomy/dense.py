"""Field, weight and output size of a net that gives a map."""

from math import prod

from torch import nn

from fieldcraft.anatomy.inputs import as_inputs
from fieldcraft.anatomy.look import look
from fieldcraft.errors import InspectError
from fieldcraft.records.anatomy import Anatomy, InputField, Row
from fieldcraft.records.dense import DenseFacts


def dense_facts(module: nn.Module, shape: tuple[int, ...]) -> DenseFacts:
    """Of any net that takes (channels, *size) and gives a map with as many axes, its facts at that size.

    The deepest stage is where neighbours lie furthest apart in the input; of all that is computed there, what sees
    furthest counts. Fields are those of `inspect`, by interval arithmetic, without weights or numbers.
    Raises: InspectError when the net does not take the input, or does not give a map.
    """
    return facts_of_map(look(module, as_inputs(shape)))


def facts_of_map(anatomy: Anatomy) -> DenseFacts:
    """The same of a net that was looked at before."""
    before, after = (anatomy.shape(values[0]) for values in (anatomy.inputs, anatomy.outputs))
    if len(before) < 3 or len(after) != len(before):
        raise InspectError(
            f"a net that gives a map must turn (n, channels, *size) into (n, classes, *size), but {anatomy.name} turns "
            f"{before} into {after}."
        )
    seen = [(row, field) for row in anatomy.rows if (field := _field(row, anatomy, len(before) - 2)) is not None]
    apart = {row.index: prod(axis.stride for axis in field.axes if axis.stride is not None) for row, field in seen}
    deepest = max(
        (field for row, field in seen if apart[row.index] == max(apart.values())),
        key=lambda field: prod(axis.size for axis in field.axes),
    )
    last = next(field for row, field in reversed(seen) if anatomy.outputs[0] in row.outputs)
    return DenseFacts(
        field=tuple(axis.size for axis in deepest.axes),
        stride=tuple(round(axis.stride or 1) for axis in deepest.axes),
        output_field=tuple(axis.size for axis in last.axes),
        smaller=tuple(a - b for a, b in zip(before[2:], after[2:], strict=True)),
        size=before[2:],
        parameters=anatomy.parameter_count,
        macs=anatomy.macs // anatomy.batch,
    )


def _field(row: Row, anatomy: Anatomy, axes: int) -> InputField | None:
    """What a row sees of the first input, where it makes a map of that input's axes."""
    name = anatomy.values[anatomy.inputs[0]].name
    field = next((one for one in row.fields if one.input == name), None)
    if field is None or len(field.axes) != axes or any(axis.stride is None for axis in field.axes):
        return None
    return field
