"""Look at a module: trace it, and put rows, fields, costs and memory together."""

import inspect
from collections.abc import Mapping, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor, nn

from fieldcraft.anatomy.capture import Capture, Event, Seen
from fieldcraft.anatomy.cost import macs
from fieldcraft.anatomy.fields import fields_of
from fieldcraft.anatomy.inputs import Input
from fieldcraft.anatomy.memory import memory_of
from fieldcraft.anatomy.operations import operation_of
from fieldcraft.anatomy.trace import Traced, trace
from fieldcraft.records.anatomy import (
    Anatomy,
    Cost,
    InputField,
    Parameter,
    Row,
    Submodule,
    Untraced,
    Value,
    WeightStatistics,
)
from fieldcraft.records.operations import Create, Lookup, Operation, Rearrange

SAMPLE, PIECE = 2048, 64
"""Numbers of a parameter that its statistics are taken of, about, and of those that lie together."""


def look(module: nn.Module, inputs: Sequence[Input | Tensor], *, name: str = "", batch: int = 1) -> Anatomy:
    """The anatomy of a module, which is copied, never moved, switched or changed.

    Raises: InspectError when it cannot be copied or does not take the inputs.
    """
    with nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu"):
        return _looked_at(module, inputs, name, batch)


def _looked_at(module: nn.Module, inputs: Sequence[Input | Tensor], name: str, batch: int) -> Anatomy:
    traced = trace(module, inputs, batch=batch)
    capture = traced.capture
    parameters = _parameters(module)
    return Anatomy(
        name=name or type(module).__name__,
        rows=tuple(_rows(traced, parameters)),
        values={seen.id: _value(seen) for seen in capture.values},
        inputs=traced.inputs,
        outputs=traced.outputs,
        output_names=traced.output_names,
        parameters=parameters,
        modules=tuple(_submodule(path, one) for path, one in module.named_modules()),
        memory=memory_of(module, inputs, traced, batch=batch),
        batch=batch,
        how=traced.how,
        untraced=(Untraced(what="the pass without numbers", reason=traced.why_real),) if traced.why_real else (),
        has_weights=all(not one.is_meta for one in module.parameters()),
    )


def _rows(traced: Traced, parameters: Sequence[Parameter]) -> list[Row]:
    """A row for each event but those that only prepare parameters (their transposes and views)."""
    capture = traced.capture
    counts = {alias: one for one in parameters for alias in (one.name, *one.aliases)}
    first_use: set[str] = set()
    rows: list[Row] = []
    for event, fields in zip(capture.events, fields_of(traced), strict=True):
        operation = operation_of(event, capture)
        if capture.is_static(event) and isinstance(operation, Rearrange | Create):
            continue
        names = _parameter_names(event, capture)
        fresh = {counts[name].name for name in names if name in counts} - first_use
        first_use |= fresh
        rows.append(_row(len(rows), event, operation, fields, names, sum(counts[one].count for one in fresh), capture))
    return rows


def _row(
    index: int,
    event: Event,
    operation: Operation,
    fields: tuple[InputField, ...],
    names: tuple[str, ...],
    parameters: int,
    capture: Capture,
) -> Row:
    values = capture.values
    reads = tuple(dict.fromkeys(event.refs()))
    shapes = tuple(values[one].shape for one in reads), tuple(values[one].shape for one in event.outputs)
    return Row(
        index=index,
        module=event.module,
        kind=event.kind,
        call=event.call,
        operation=operation,
        source=event.name,
        inputs=tuple(one for one in reads if one not in capture.static),
        outputs=event.outputs,
        parameters=names,
        location=event.location,
        fields=fields,
        cost=Cost(
            macs=macs(operation, *shapes),
            read=_read(event, operation, reads, values),
            written=_written(event, values),
            parameters=parameters,
        ),
    )


def _parameter_names(event: Event, capture: Capture) -> tuple[str, ...]:
    """Parameters and buffers that an event reads, directly or through views of them."""
    if event.layer is not None:
        own = [*event.layer.named_parameters(), *event.layer.named_buffers()]
        return tuple(f"{event.module}.{name}" if event.module else name for name, _ in own)
    names: dict[str, None] = {}
    for value in event.refs():
        names.update(dict.fromkeys(sorted(capture.parents.get(value, ()))))
    return tuple(names)


def _read(event: Event, operation: Operation, reads: Sequence[int], values: Sequence[Seen]) -> int:
    """Nothing for views; of a table, the rows that are taken."""
    if not event.in_place and all(values[one].view for one in event.outputs):
        return 0
    most = _written(event, values) if isinstance(operation, Lookup) else None
    return sum(_bytes(values[one]) if most is None else min(most, _bytes(values[one])) for one in reads)


def _written(event: Event, values: Sequence[Seen]) -> int:
    """Nothing for views, but what is changed in place."""
    return sum((_bytes if event.in_place else _fresh_bytes)(values[one]) for one in event.outputs)


def _bytes(seen: Seen) -> int:
    """Expanded tensors have fewer numbers than their shape says."""
    tensor = seen.tensor
    size = tensor.numel() * tensor.element_size()
    return size if tensor.layout is not torch.strided else min(size, tensor.untyped_storage().nbytes())


def _fresh_bytes(seen: Seen) -> int:
    return 0 if seen.view else _bytes(seen)


def _value(seen: Seen) -> Value:
    return Value(
        id=seen.id,
        shape=seen.shape,
        dtype=str(seen.tensor.dtype).removeprefix("torch."),
        bytes=_fresh_bytes(seen),
        origin=seen.origin,
        name=seen.name,
    )


def _parameters(module: nn.Module) -> tuple[Parameter, ...]:
    names: dict[int, list[str]] = {}
    tensors: dict[int, nn.Parameter] = {}
    for name, parameter in module.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
        tensors[id(parameter)] = parameter
    return tuple(
        Parameter(
            name=names[key][0],
            shape=tuple(tensor.shape),
            dtype=str(tensor.dtype).removeprefix("torch."),
            trainable=tensor.requires_grad,
            count=tensor.numel(),
            aliases=tuple(names[key][1:]),
            statistics=weight_statistics(tensor),
        )
        for key, tensor in tensors.items()
    )


def weight_statistics(parameter: Tensor) -> WeightStatistics | None:
    """What the numbers look like; None without numbers. Of large tensors a sample is looked at."""
    if parameter.is_meta or parameter.layout != torch.strided or parameter.numel() == 0:
        return None
    if not parameter.is_floating_point():
        return None
    numbers = _sample(parameter.detach()).float().cpu().numpy()
    return WeightStatistics(
        mean=float(numbers.mean()),
        deviation=float(numbers.std()),
        smallest=float(numbers.min()),
        largest=float(numbers.max()),
        zeros=float((numbers == 0).mean()),
    )


def _sample(numbers: Tensor) -> Tensor:
    """Some thousand numbers of a tensor, in pieces all over its memory where they lie without gaps."""
    count = numbers.numel()
    if count <= SAMPLE:
        return numbers
    pieces = SAMPLE // PIECE
    span = sum((size - 1) * stride for size, stride in zip(numbers.shape, numbers.stride(), strict=True)) + 1
    if span == count:
        return numbers.as_strided((pieces, PIECE), (count // pieces, 1), numbers.storage_offset())
    return numbers.reshape(-1)[:: count // SAMPLE]


def _submodule(path: str, module: nn.Module) -> Submodule:
    file, line = _home(type(module))
    return Submodule(
        path=path,
        kind=type(module).__name__,
        home=type(module).__module__,
        parameters=sum(one.numel() for one in module.parameters(recurse=False)),
        leaf=not any(True for _ in module.children()),
        file=file,
        line=line,
        settings=_settings(module),
    )


def _settings(module: nn.Module) -> Mapping[str, int | float | str | bool]:
    return {
        key: value
        for key, value in vars(module).items()
        if not key.startswith("_") and key != "training" and isinstance(value, int | float | str | bool)
    }


def _home(kind: type) -> tuple[str, int]:
    """File of a class; the line only where it costs nothing to know."""
    try:
        return inspect.getfile(kind), getattr(kind, "__firstlineno__", 0)
    except (TypeError, OSError):
        return "", 0
