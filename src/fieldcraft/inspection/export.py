"""Write a rewritten module: an exported program (.pt2), or Python that rebuilds it with its weights beside it."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from fieldcraft.anatomy.inputs import Input, as_inputs, make_tensors
from fieldcraft.anatomy.trace import default_dtype
from fieldcraft.errors import InspectError
from fieldcraft.inspection.rewritten import Rewritten
from fieldcraft.records.files import write_whole

HEADER = '''"""{source} with {names}.

`make()` calls the constructor, makes the same rewrites again, and loads {weights}, which must lie beside this file.
It needs fieldcraft and whatever the constructor imports.
"""
'''
BODY = """
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from fieldcraft.anatomy.inputs import Input
from fieldcraft.inspection.rewrite import rewrite
from fieldcraft.inspection.rewrites.interface import Options

{imports}

INPUTS = {inputs}
OPTIONS = {options}


def make() -> nn.Module:
    \"\"\"The rewritten module, in evaluation mode.\"\"\"
    module = {call}
    module = rewrite(module, {names}, INPUTS, unsafe={unsafe}, options=OPTIONS).module
    module.load_state_dict(load_file(Path(__file__).with_name({weights})))
    return module.eval()
"""


def export(
    rewritten: Rewritten,
    path: Path,
    inputs: object,
    *,
    source: str | None = None,
    arguments: Mapping[str, object] | None = None,
) -> tuple[Path, ...]:
    """Write `file.pt2`, or `file.py` with `file.safetensors`; gives the files that were written.

    `source` (package.module:callable or file.py:callable) and its `arguments` are what a `.py` file calls.
    Raises: InspectError for another suffix, a `.py` without a source, or a module that cannot be exported; RunError
    when the folder cannot be written.
    """
    given = as_inputs(inputs)
    if path.suffix == ".pt2":
        write_whole(path, _program(rewritten.module, given))
        return (path,)
    if path.suffix == ".py":
        if source is None:
            raise InspectError(
                f"{path.name} would call the module's constructor, which must be known: give source= as "
                "package.module:callable, or write a .pt2 file."
            )
        weights = path.with_suffix(".safetensors")
        text = _python(rewritten, given, source, arguments or {}, weights.name)
        write_whole(weights, save(_state(rewritten.module)))
        write_whole(path, text)
        return (path, weights)
    raise InspectError(f"a rewritten module goes into a .py or .pt2 file, but got {path.name}.")


def _state(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in module.state_dict().items()}


def _program(module: nn.Module, inputs: Sequence[Input | Tensor]) -> bytes:
    """With any batch where the module allows it, else with the batch of the example."""
    training = {one: one.training for one in module.modules()}
    positional, named = make_tensors(inputs, batch=2, device="cpu", default=default_dtype(module))
    batch = torch.export.Dim("batch")
    shapes = (*({0: batch} for _ in positional), *({0: batch} for _ in named))
    try:
        module.eval()
        try:
            program = torch.export.export(module, positional, named, dynamic_shapes=shapes)
        except Exception:
            program = torch.export.export(module, positional, named)
    except Exception as error:
        raise InspectError(
            f"{type(module).__name__} cannot be exported by torch.export ({str(error).splitlines()[0]}): "
            "write a .py file."
        ) from error
    finally:
        for one, flag in training.items():
            one.training = flag
    written = io.BytesIO()
    torch.export.save(program, written)
    return written.getvalue()


def _python(
    rewritten: Rewritten,
    inputs: Sequence[Input | Tensor],
    source: str,
    arguments: Mapping[str, object],
    weights: str,
) -> str:
    home, _, name = source.rpartition(":")
    if not home or not name.isidentifier():
        raise InspectError(f'a source must look like package.module:callable or file.py:callable, but got "{source}".')
    imports, callee = (
        (f"import runpy\n\nMADE_BY = runpy.run_path({home!r})", f"MADE_BY[{name!r}]")
        if home.endswith(".py")
        else (f"from {home} import {name}", name)
    )
    call = f"{callee}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
    shown = tuple(
        Input(shape=tuple(one.shape[1:]), dtype=str(one.dtype).removeprefix("torch."))
        if isinstance(one, Tensor)
        else one
        for one in inputs
    )
    said = {"source": source, "names": ", ".join(rewritten.names), "weights": weights}
    return HEADER.format(**said) + BODY.format(
        imports=imports,
        inputs=repr(shown),
        options=repr(rewritten.options),
        call=call,
        names=repr(list(rewritten.names)),
        unsafe=not rewritten.safe,
        weights=repr(weights),
    )
