"""A .pt2 file: the graph is read from its JSON, and nothing is unpickled.

`torch.export.load` unpickles (its fallback without `weights_only`), and calls whatever the graph names. Here only ATen
operators are called, and tensors have their shapes alone.
"""

import json
import operator
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from fieldcraft.anatomy.inputs import Input
from fieldcraft.errors import InspectError
from fieldcraft.inspection.sources.graph import GraphModule, Level, Step, Values
from fieldcraft.inspection.sources.source import Source
from fieldcraft.records.anatomy import Location

__fieldcraft_inner__ = True
Json = Mapping[str, Any]
MAJOR = 8
"""Version of the schema that is read here (torch 2.5 and later)."""
TARGET = re.compile(r"torch\.ops\.(aten|torchvision)\.(?!__)(\w+)\.(?!__)(\w+)")
NUMBERS = (
    "add",
    "sub",
    "mul",
    "floordiv",
    "truediv",
    "mod",
    "pow",
    "neg",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "getitem",
)
"""Of Python's `operator`, for sizes that are computed."""
CHECKS = (
    "_assert_scalar",
    "_assert_async",
    "_assert_tensor_metadata",
    "sym_constrain_range",
    "sym_constrain_range_for_size",
)
"""Operators that only look whether a guess about sizes holds."""
DTYPES = (
    None, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.float32, torch.float64,
    torch.complex32, torch.complex64, torch.complex128, torch.bool, torch.bfloat16,
)  # fmt: skip
FORMATS = (None, torch.contiguous_format, torch.channels_last, torch.channels_last_3d, torch.preserve_format)
TRUST = "--trust opens it with torch.export.load, which may run code that the file holds."


def open_exported(path: Path, *, trust: bool = False) -> Source:
    """The program of a file, with the inputs that it was exported for.

    `trust`: open it with `torch.export.load`, which reads weights, too, and may run code.
    Raises: InspectError when the file is damaged, or holds what can only be opened with trust.
    """
    if trust:
        return _trusted(path)
    document = _document(path)
    graph, signature = document["graph_module"]["graph"], document["graph_module"]["signature"]
    steps = [step for node in graph["nodes"] if (step := _step(node, path)) is not None]
    inputs = [one["user_input"]["arg"] for one in signature["input_specs"] if "user_input" in one]
    outputs = [one["user_output"]["arg"] for one in signature["output_specs"] if "user_output" in one]
    names = [_tensor_name(one) for one in inputs]
    results = [one["as_tensor"]["name"] for one in outputs if "as_tensor" in one]
    module = GraphModule(steps, [name for name in names if name], results)
    _hold(module, signature["input_specs"], graph["tensor_values"], path)
    shapes = [_input(graph["tensor_values"][name], name) for name in names if name]
    batches = {batch for _, batch in shapes}
    return Source(
        module=module,
        name=str(path),
        inputs=tuple(one for one, _ in shapes),
        batch=batches.pop() if len(batches) == 1 else None,
    )


def _trusted(path: Path) -> Source:
    try:
        program = torch.export.load(path)
        example, named = program.example_inputs or ((), {})
        return Source(module=program.module(), name=str(path), inputs=(*example, *named.values()))
    except Exception as error:
        raise InspectError(
            f"{path} cannot be opened as an exported program ({type(error).__name__}: {error})."
        ) from error


def _document(path: Path) -> Json:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [one for one in archive.namelist() if re.fullmatch(r"[^/]+/models/[^/]+\.json", one)]
            legacy = any(one.endswith("serialized_exported_program.json") for one in archive.namelist())
            if len(names) != 1:
                which = "is of an older torch" if legacy else f"holds {len(names)} programs instead of one"
                raise InspectError(f"{path} {which}. {TRUST}")
            document: Json = json.loads(archive.read(names[0]))
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise InspectError(f"{path} is damaged or no .pt2 file ({type(error).__name__}: {error}).") from error
    version = document.get("schema_version", {}).get("major")
    if version != MAJOR:
        raise InspectError(f"{path} has schema version {version}, but {MAJOR} is what can be read safely. {TRUST}")
    return document


def _tensor_name(argument: Json) -> str:
    return str(argument["as_tensor"]["name"]) if "as_tensor" in argument else ""


def _step(node: Json, path: Path) -> Step | None:
    name = str(node.get("name") or (node["outputs"][0].get("as_tensor") or {}).get("name") or node["target"])
    call = _target(str(node["target"]), name, path)
    if call is None:
        return None
    writes = tuple(one for output in node["outputs"] for one in _output_names(output))
    return Step(
        levels=_levels(node.get("metadata", {}).get("nn_module_stack", "")),
        run=_runner(call, node["inputs"], writes),
        location=Location(file=str(path), line=0, text=name),
    )


def _target(target: str, name: str, path: Path) -> Callable[..., Any] | None:
    """What a node calls; None for checks of sizes. Only from the lists above, whatever the file says."""
    kind, _, function = target.partition(".")
    if kind == "_operator" and function in NUMBERS:
        found: Callable[..., Any] = getattr(operator, function)
        return found
    match = TARGET.fullmatch(target)
    if match is None:
        raise InspectError(f"{path}: node {name} calls {target}, which is no ATen operator. {TRUST}")
    if match[2] in CHECKS:
        return None
    try:
        overload: Callable[..., Any] = getattr(getattr(getattr(torch.ops, match[1]), match[2]), match[3])
    except AttributeError as error:
        raise InspectError(f"{path}: node {name} calls {target}, which this torch does not have.") from error
    return overload


def _output_names(output: Json) -> tuple[str, ...]:
    if "as_tensors" in output:
        return tuple(one["name"] for one in output["as_tensors"])
    if "as_tensor" in output:
        return (output["as_tensor"]["name"],)
    named = next((value for value in output.values() if isinstance(value, dict)), {})
    return (str(named.get("as_name", "")),)


def _levels(stack: str) -> tuple[Level, ...]:
    """From `key,path,class` of every module around, from the outside."""
    kinds: dict[str, tuple[str, str]] = {}
    last = ""
    for entry in stack.split(";") if stack else ():
        key, path, kind = entry.split(",", 2)
        last = path
        kinds[path] = (kind.rpartition(".")[2], key.partition("@")[2])
    names = last.split(".") if last else []
    levels = []
    for place, name in enumerate(names, 1):
        kind, call = kinds.get(".".join(names[:place]), ("Scope", ""))
        levels.append(Level(name, kind if kind.isidentifier() else "Scope", call))
    return tuple(levels)


def _runner(call: Callable[..., Any], inputs: Sequence[Json], writes: Sequence[str]) -> Callable[[Values], None]:
    def run(values: Values) -> None:
        given = [(one.get("kind"), one["name"], _argument(one["arg"], values)) for one in inputs]
        result = call(
            *(value for kind, _, value in given if kind != 2),
            **{name: value for kind, name, value in given if kind == 2},
        )
        results = result if isinstance(result, tuple | list) else (result,)
        values.tensors.update(zip(writes, results, strict=False))

    return run


def _argument(argument: Json, values: Values) -> Any:
    """The Python value of a serialised argument."""
    ((kind, value),) = argument.items()
    match kind:
        case "as_none":
            return None
        case "as_tensor":
            return values.tensors[value["name"]]
        case "as_tensors":
            return [values.tensors[one["name"]] for one in value]
        case "as_optional_tensors" | "as_sym_ints" | "as_sym_floats" | "as_sym_bools":
            return [_argument(one, values) if "as_tensor" in one else _symbol(one, values) for one in value]
        case "as_optional_tensor":
            return _argument(value, values)
        case "as_sym_int" | "as_sym_float" | "as_sym_bool":
            return _symbol(value, values)
        case "as_scalar_type":
            return DTYPES[value]
        case "as_memory_format":
            return FORMATS[value]
        case "as_layout":
            return torch.strided
        case "as_device":
            return torch.device("meta" if any(one.is_meta for one in _tensors(values)) else "cpu")
        case "as_int" | "as_ints" | "as_float" | "as_floats" | "as_bool" | "as_bools" | "as_string" | "as_strings":
            return value
        case "as_int_lists" | "as_float_lists":
            return value
        case "as_complex":
            return complex(value["real"], value["imag"])
        case _:
            raise InspectError(f"an argument of the kind {kind} has no rule. {TRUST}")


def _symbol(one: Json, values: Values) -> Any:
    if "as_name" in one:
        return values.tensors[one["as_name"]]
    return None if "as_none" in one else next(iter(one.values()))


def _tensors(values: Values) -> list[torch.Tensor]:
    return [one for one in values.tensors.values() if isinstance(one, torch.Tensor)]


def _hold(module: GraphModule, specs: Sequence[Json], shapes: Json, path: Path) -> None:
    """Parameters, buffers and constants of the program, without numbers."""
    for spec in specs:
        ((kind, one),) = spec.items()
        if kind == "user_input":
            continue
        named = {"parameter": "parameter_name", "buffer": "buffer_name", "tensor_constant": "tensor_constant_name"}
        if kind not in named:
            raise InspectError(f"{path} takes {kind}, which has no rule. {TRUST}")
        *scope, attribute = str(one[named[kind]]).split(".")
        meta = shapes[one["arg"]["name"]]
        sizes = tuple(_size(size) for size in meta["sizes"])
        tensor = torch.empty(sizes, dtype=DTYPES[meta["dtype"]], device="meta")
        module.hold(one["arg"]["name"], scope, tensor, buffer=kind != "parameter", attribute=attribute)


def _size(size: Json) -> int:
    """A fixed size, or the one that the program was exported with."""
    if "as_int" in size:
        return int(size["as_int"])
    hint = size["as_expr"].get("hint") or {}
    return int(hint.get("as_int", 2))


def _input(meta: Json, name: str) -> tuple[Input, int | None]:
    """One input, and the batch that it is fixed to."""
    sizes = meta["sizes"]
    if not sizes:
        raise InspectError(f"input {name} is a single number without a batch dimension, which has no rule. {TRUST}")
    dtype = str(DTYPES[meta["dtype"]]).removeprefix("torch.")
    shape = tuple(_size(size) for size in sizes[1:])
    return Input(shape=shape, dtype=dtype, name=name), sizes[0].get("as_int")
