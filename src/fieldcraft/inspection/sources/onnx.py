"""An ONNX file: its nodes run as torch functions, so that rows, fields and costs are those of any module.

Nothing of the file is executed but the operators of the standard. Weights that lie in files beside it are not read.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import _disable_current_modes

from fieldcraft.anatomy.inputs import Input
from fieldcraft.errors import InspectError, MissingExtraError
from fieldcraft.inspection.sources.graph import GraphModule, Level, Step, Values
from fieldcraft.inspection.sources.onnx_node import Node
from fieldcraft.inspection.sources.onnx_ops import RULES, dtype_of
from fieldcraft.inspection.sources.source import Source
from fieldcraft.records.anatomy import Location

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

__fieldcraft_inner__ = True
SMALL = 64
"""Numbers up to which a tensor of the file may also set shapes and modes."""
RECURRENT: Mapping[str, Callable[..., nn.RNNBase]] = {"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN}


def open_onnx(path: Path) -> Source:
    """The network of a file.

    Raises: InspectError when the file is none, or a node has an operator without a rule; MissingExtraError.
    """
    model = _read(path)
    graph = model.graph
    opset = max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=1)
    _known_operators(graph.node, path)
    weights = {one.name: one for one in graph.initializer}
    nodes = _without_copies(graph.node, weights)
    steps = [_step(node, place, opset, path) for place, node in enumerate(nodes)]
    entries = [one for one in graph.input if one.name not in weights]
    module = GraphModule(steps, [one.name for one in entries], [one.name for one in graph.output])
    _hold(module, nodes, steps, weights)
    inputs, batch = _inputs(entries)
    return Source(module=module, name=str(path), inputs=inputs, batch=batch)


def _read(path: Path) -> "ModelProto":
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("onnx", "onnx", "opening an .onnx file") from error
    try:
        return onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf raises classes of its own
        raise InspectError(f"{path} is damaged or no ONNX file ({type(error).__name__}: {error}).") from error


def _known_operators(nodes: Sequence["NodeProto"], path: Path) -> None:
    special = {"Constant", *RECURRENT}
    unknown = {
        node.op_type: _name(node, place)
        for place, node in reversed(list(enumerate(nodes)))
        if node.domain not in ("", "ai.onnx") or (node.op_type not in RULES and node.op_type not in special)
    }
    if unknown:
        listed = ", ".join(f"{op} (node {name})" for op, name in list(unknown.items())[:5])
        raise InspectError(
            f"{path} has {len(unknown)} operator{'s' if len(unknown) > 1 else ''} without a rule: {listed}. "
            "Inspect the module that it was exported from instead."
        )


def _without_copies(nodes: Sequence["NodeProto"], weights: dict[str, "TensorProto"]) -> list["NodeProto"]:
    """Nodes without those that only give a weight a second name (exporters share equal tensors so)."""
    kept: list[NodeProto] = []
    same: dict[str, str] = {}
    for node in nodes:
        for place, name in enumerate(node.input):
            node.input[place] = same.get(name, name)
        if node.op_type == "Identity" and node.input[0] in weights:
            same[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    return kept


def _name(node: "NodeProto", place: int) -> str:
    return node.name or f"{node.op_type}_{place}"


def _step(node: "NodeProto", place: int, opset: int, path: Path) -> Step:
    name = _name(node, place)
    location = Location(file=str(path), line=0, text=name)
    attributes = _attributes(node)
    scope = _scope(name, node.op_type)
    levels = tuple(Level(one, node.op_type if place == len(scope) else "Scope") for place, one in enumerate(scope, 1))
    if node.op_type == "Constant":
        run = _constant(node.output[0], attributes)
    elif node.op_type in RECURRENT:
        run = _recurrent(node, ".".join(scope))
    else:
        run = _operator(node, name, opset, attributes)
    return Step(levels=levels, run=run, location=location)


def _scope(name: str, op: str) -> tuple[str, ...]:
    """Paths as the exporter of torch writes them (/layer1/layer1.0/conv1/Conv) become layer1.0.conv1."""
    parts = [one for one in name.split("/") if one]
    if len(parts) > 1 and parts[-1].partition("_")[0] == op:
        parts = parts[:-1]
    names: list[str] = []
    for at, part in enumerate(parts):
        before = parts[at - 1] if at else ""
        names += (part.removeprefix(f"{before}.") if before else part).split(".")
    return tuple(one or "_" for one in names)


def _attributes(node: "NodeProto") -> dict[str, Any]:
    from onnx import helper

    found = {}
    for one in node.attribute:
        value = helper.get_attribute_value(one)
        if isinstance(value, bytes):
            value = value.decode()
        elif isinstance(value, list) and value and isinstance(value[0], bytes):
            value = [part.decode() for part in value]
        elif type(value).__name__ == "TensorProto":
            value = _numbers(value)
        found[one.name] = value
    return found


def _numbers(tensor: "TensorProto") -> Tensor:
    from onnx import numpy_helper

    return torch.from_numpy(numpy_helper.to_array(tensor).copy())


def _constant(output: str, attributes: Mapping[str, Any]) -> Callable[[Values], None]:
    value = next((value for key, value in attributes.items() if key.startswith("value")), None)
    kind = torch.float32 if any(key.startswith("value_float") for key in attributes) else None

    def run(values: Values) -> None:
        with _disable_current_modes():
            tensor = value.clone() if isinstance(value, Tensor) else torch.tensor(value, dtype=kind)
        values.tensors[output] = values.constants[output] = tensor

    return run


def _operator(node: "NodeProto", name: str, opset: int, attributes: Mapping[str, Any]) -> Callable[[Values], None]:
    rule, op = RULES[node.op_type], node.op_type
    reads, writes = tuple(node.input), tuple(node.output)
    from_shape = op in ("Shape", "Size", "ConstantOfShape", "Range")

    def run(values: Values) -> None:
        inputs = tuple(_value(values, one, name) if one else None for one in reads)
        numbers = tuple(values.constants.get(one, values.numbers.get(one)) for one in reads)
        call = Node(op, name, opset, inputs, numbers, attributes, len(writes))
        settled = from_shape or all(one in values.constants for one in reads if one)
        if settled:
            with _disable_current_modes():
                result = rule(call)
        else:
            result = rule(replace(call, inputs=_together(inputs)))
        results = tuple(result) if isinstance(result, tuple | list) else (result,)
        for output, tensor in zip(writes, results, strict=False):
            values.tensors[output] = tensor
            if settled:
                values.constants[output] = tensor

    return run


def _together(inputs: Sequence[Tensor | None]) -> tuple[Tensor | None, ...]:
    """Without numbers when one of them has none, so that they meet on one device; single numbers may stay."""
    if not any(one is not None and one.is_meta for one in inputs):
        return tuple(inputs)
    with _disable_current_modes():
        return tuple(
            one if one is None or one.is_meta or one.dim() == 0 else torch.empty_like(one, device="meta")
            for one in inputs
        )


def _value(values: Values, name: str, node: str) -> Tensor:
    if name not in values.tensors:
        raise InspectError(f"node {node} reads {name}, which no node makes and no input is called.")
    tensor: Tensor = values.tensors[name]
    return tensor


def _recurrent(node: "NodeProto", path: str) -> Callable[[Values], None]:
    """Over the torch layer that `_hold` has put at `path`; the standard wants (steps, directions, batch, hidden)."""
    x, writes = node.input[0], tuple(node.output)

    def run(values: Values) -> None:
        layer = values.modules[f"{path}.layer"]
        out, state = layer(values.tensors[x])
        directions = 2 if layer.bidirectional else 1
        steps, batch, _ = out.shape
        every = out.view(steps, batch, directions, layer.hidden_size).transpose(1, 2)
        results = (every, *(state if isinstance(state, tuple) else (state,)))
        values.tensors.update((name, one) for name, one in zip(writes, results, strict=False) if name)

    return run


def _hold(
    module: GraphModule, nodes: Sequence["NodeProto"], steps: Sequence[Step], weights: Mapping[str, "TensorProto"]
) -> None:
    """Tensors of the file become parameters and buffers of the submodule that reads them first."""
    for node, step in zip(nodes, steps, strict=True):
        if node.op_type in RECURRENT:
            _hold_recurrent(module, node, step, weights)
            continue
        for place, name in enumerate(node.input):
            if name in module.held or name in module.constants or name not in weights:
                continue
            tensor = _tensor(weights[name])
            if not tensor.is_meta and tensor.numel() <= SMALL:
                module.numbers[name] = tensor
            if not tensor.is_floating_point() or tensor.dim() == 0:
                module.constants[name] = tensor
                continue
            statistics = node.op_type == "BatchNormalization" and place in (3, 4)
            module.hold(name, step.scope, tensor, buffer=statistics, attribute=name.rpartition(".")[2])


def _hold_recurrent(module: GraphModule, node: "NodeProto", step: Step, weights: Mapping[str, "TensorProto"]) -> None:
    attributes = _attributes(node)
    if node.input[1] not in weights:
        raise InspectError(f"node {step.location.text} ({node.op_type}) must have its weights in the file.")
    width = list(weights[node.input[1]].dims)[2]
    bias = len(node.input) > 3 and bool(node.input[3])
    both = attributes.get("direction", "forward") == "bidirectional"
    with torch.device("meta"):
        layer = RECURRENT[node.op_type](width, int(attributes["hidden_size"]), bias=bias, bidirectional=both)
    module.scope(step.scope).add_module("layer", layer)


def _tensor(one: "TensorProto") -> Tensor:
    """With its numbers, or without them where they lie in a file of their own."""
    if one.external_data:
        return torch.empty(tuple(one.dims), dtype=dtype_of(one.data_type, one.name), device="meta")
    return _numbers(one)


def _inputs(entries: Sequence[Any]) -> tuple[tuple[Input | Tensor, ...], int | None]:
    """Shapes that the file fixes, with the batch that it is made for; nothing when a size is left open."""
    shapes = [[dim.dim_value or None for dim in one.type.tensor_type.shape.dim] for one in entries]
    if any(None in shape[1:] or not shape for shape in shapes):
        return (), None
    batches = {shape[0] for shape in shapes}
    if len(batches) != 1:
        return (), None
    kinds = [str(dtype_of(one.type.tensor_type.elem_type, one.name)).removeprefix("torch.") for one in entries]
    inputs = tuple(
        Input(shape=tuple(size or 1 for size in shape[1:]), dtype=kind, name=one.name)
        for one, shape, kind in zip(entries, shapes, kinds, strict=True)
    )
    return inputs, batches.pop()
