"""Run a module once, without numbers where that is possible, and record what it does."""

import textwrap
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from fieldcraft.anatomy.capture import Capture, Recorder, recording
from fieldcraft.anatomy.inputs import Input, make_tensors
from fieldcraft.anatomy.location import is_foreign, traced_call
from fieldcraft.anatomy.meta_copy import meta_copy, real_copy
from fieldcraft.anatomy.random_state import random_as_before
from fieldcraft.errors import InspectError

LARGEST_REAL = 2 * 2**30
"""Bytes of parameters up to which a real forward pass is tried."""
LONGEST = 300
"""Letters of someone else's error message that are shown."""


@dataclass(frozen=True, kw_only=True)
class Traced:
    """A recorded forward pass in evaluation mode."""

    capture: Capture
    inputs: tuple[int, ...]
    input_names: tuple[str, ...]
    outputs: tuple[int, ...]
    output_names: tuple[str, ...]
    how: Literal["meta", "real"]
    why_real: str = ""


def trace(module: nn.Module, inputs: Sequence[Input | Tensor], *, batch: int = 1) -> Traced:
    """Record the forward pass of a copy of `module` in evaluation mode.

    On the meta device first: no numbers, no memory for weights. Where control flow depends on values, on a small real
    input on the CPU. Raises: InspectError when the module does not take the inputs, naming the layer that failed.
    """
    try:
        return _run(meta_copy(module), inputs, batch, "meta", buffers=dict(module.named_buffers()))
    except _Failed as failed:
        size = sum(one.numel() * one.element_size() for one in module.parameters())
        if size > LARGEST_REAL or isinstance(failed.error, TypeError):
            raise _explained(failed, inputs) from failed.error
        try:
            return _run(real_copy(module), inputs, batch, "real", why=_first_line(failed.error))
        except _Failed as again:
            raise _explained(again, inputs) from again.error


def default_dtype(module: nn.Module) -> torch.dtype:
    """Of the first floating-point parameter or buffer; single precision without any."""
    every = (*module.parameters(), *module.buffers())
    return next((one.dtype for one in every if one.is_floating_point()), torch.get_default_dtype())


class _Failed(Exception):
    """A forward pass that raised, with what was running."""

    def __init__(self, error: Exception, recorder: Recorder) -> None:
        super().__init__(str(error))
        self.error = error
        self.deepest = recorder.deepest


def _run(
    module: nn.Module,
    inputs: Sequence[Input | Tensor],
    batch: int,
    device: Literal["meta", "real"],
    why: str = "",
    buffers: Mapping[str, Tensor] | None = None,
) -> Traced:
    module.eval()
    positional, named = make_tensors(
        inputs, batch=batch, device="meta" if device == "meta" else "cpu", default=default_dtype(module)
    )
    with torch.no_grad(), random_as_before(), recording(module, numbers=device == "real") as recorder:
        ids = [
            recorder.bind(tensor, "input", name, static=False)
            for name, tensor in _argument_names(module, positional, named)
        ]
        try:
            result = traced_call(lambda: module(*positional, **named))
        except InspectError:  # from the nodes of a file, and clear already
            raise
        except Exception as error:
            raise _Failed(error, recorder) from error
    found = tuple(_outputs(result))
    if not found:
        raise InspectError(
            f"{type(module).__name__}.forward must return tensors (alone, in a tuple, list, dict or data class), but "
            f"returned {type(result).__name__}{' without any' if isinstance(result, Mapping | tuple | list) else ''}."
        )
    recorder.capture.buffers = dict(module.named_buffers()) if buffers is None else buffers
    return Traced(
        capture=recorder.capture,
        inputs=tuple(ids),
        input_names=tuple(recorder.capture.values[one].name for one in ids),
        outputs=tuple(recorder.value_of(tensor) for _, tensor in found),
        output_names=tuple(name for name, _ in found),
        how=device,
        why_real=why,
    )


def _argument_names(
    module: nn.Module, positional: Sequence[Tensor], named: Mapping[str, Tensor]
) -> list[tuple[str, Tensor]]:
    import inspect

    try:
        known = list(inspect.signature(module.forward).parameters)
    except (TypeError, ValueError):
        known = []
    names = [known[place] if place < len(known) else f"input{place}" for place in range(len(positional))]
    return [*zip(names, positional, strict=True), *named.items()]


def _outputs(result: object, name: str = "") -> list[tuple[str, Tensor]]:
    """Every tensor of a nested result with its name."""
    if isinstance(result, Tensor):
        return [(name or "0", result)]
    if isinstance(result, Mapping):
        parts = [(str(key), one) for key, one in result.items()]
    elif hasattr(result, "_asdict"):
        parts = [(str(key), one) for key, one in result._asdict().items()]
    elif isinstance(result, tuple | list | set):
        parts = [(str(place), one) for place, one in enumerate(result)]
    elif hasattr(result, "__dataclass_fields__"):
        parts = [(key, getattr(result, key)) for key in result.__dataclass_fields__]
    else:
        return []
    return [found for key, one in parts for found in _outputs(one, f"{name}.{key}" if name else key)]


def _first_line(error: Exception) -> str:
    said = textwrap.shorten(str(error).strip().partition("\n")[0], LONGEST, placeholder=" ...")
    return f"{type(error).__name__}: {said}".rstrip(": ")


def _explained(failed: _Failed, inputs: Sequence[Input | Tensor]) -> InspectError:
    """Which layer broke, what it wanted, what came."""
    error = failed.error
    came = ", ".join(str(tuple(one.shape)) if isinstance(one, Tensor) else _say(one) for one in inputs)
    if isinstance(error, TypeError) and "missing" in str(error) and "argument" in str(error):
        return InspectError(
            f"forward wants more than was given ({str(error).split(') ')[-1]}): give every input, by position or as "
            f"name=shape. Given: {came}."
        )
    where = ""
    if failed.deepest is not None:
        path, layer, args = failed.deepest
        got = ", ".join(str(tuple(one.shape)) for one in args if isinstance(one, Tensor))
        name = f"{path} ({type(layer).__name__}{_wanted(layer)})" if path else f"the forward of {type(layer).__name__}"
        where = f"{name} failed" + (f" on a tensor of shape {got}" if got else "")
    line = _foreign_line(error)
    return InspectError(
        f"{where or 'the module failed'}{f' at {line}' if line else ''}: {_first_line(error).rstrip('.')}. Inputs were "
        f"{came}, with the batch dimension in front of each: give the shape that the module was made for."
    )


def _say(one: Input) -> str:
    dtype = "" if one.dtype == "float32" else f":{one.dtype}"
    return f"{f'{one.name}=' if one.name else ''}({', '.join(map(str, one.shape))}){dtype}"


def _wanted(layer: nn.Module) -> str:
    for key, words in (
        ("in_channels", "channels in"),
        ("in_features", "features in"),
        ("num_features", "channels"),
        ("normalized_shape", "normalised shape"),
        ("num_embeddings", "rows; whole numbers index it"),
    ):
        if (value := getattr(layer, key, None)) is not None:
            return f", {value} {words}"
    return ""


def _foreign_line(error: Exception) -> str:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if is_foreign(frame.filename):
            return f"{frame.filename}:{frame.lineno}"
    return ""
