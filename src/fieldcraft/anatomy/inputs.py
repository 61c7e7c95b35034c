"""What goes into a module: shapes as people write them, brought to tensors."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fieldcraft.errors import InspectError

Shape = Sequence[int]
Inputs = "Shape | Input | Tensor | Sequence[Shape | Input | Tensor] | Mapping[str, Shape | Input | Tensor]"
TEXT = re.compile(r"^(?:(?P<name>[A-Za-z_]\w*)=)?(?P<sizes>\d+(?:[,x]\d+)*)?(?::(?P<dtype>[a-z]+\d*))?$")
DTYPES = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool", "complex64")


@dataclass(frozen=True, kw_only=True)
class Input:
    """One argument of `forward`: the shape of one sample, without the batch dimension."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    name: str | None = None
    """Keyword of `forward`; None: by position."""

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.shape):
            raise InspectError(f"every size of an input must be at least 1, but got {self.shape}.")
        if self.dtype not in DTYPES:
            raise InspectError(f"dtype {self.dtype} of an input must be one of {', '.join(DTYPES)}.")


def parse_input(text: str) -> Input:
    """`3,224,224`, `128:int64` or `input_ids=128:int64`: the shape of one sample without the batch dimension."""
    match = TEXT.match(text.strip().replace(" ", ""))
    if match is None or not (match["sizes"] or match["dtype"]):
        raise InspectError(
            f'an input must look like 3,224,224 or input_ids=128:int64 (no batch dimension), but got "{text}".'
        )
    sizes = tuple(int(size) for size in re.split("[,x]", match["sizes"])) if match["sizes"] else ()
    return Input(shape=sizes, dtype=match["dtype"] or "float32", name=match["name"])


def as_inputs(given: object) -> tuple[Input | Tensor, ...]:
    """Every argument, in order. Keyword tensors are not named here; give a Mapping of shapes instead."""
    if isinstance(given, Input | Tensor):
        return (given,)
    if isinstance(given, str):
        return (parse_input(given),)
    if isinstance(given, Mapping):
        return tuple(_named(name, one) for name, one in given.items())
    if isinstance(given, Sequence):
        if given and all(isinstance(size, int) for size in given):
            return (Input(shape=tuple(given)),)
        return tuple(one for part in given for one in as_inputs(part))
    raise InspectError(
        f"inputs must be a shape such as (3, 224, 224), an Input, a tensor, or several of these, but got "
        f"{type(given).__name__}."
    )


def _named(name: str, one: object) -> Input:
    (single,) = as_inputs(one)
    if isinstance(single, Tensor):
        shape, dtype = tuple(single.shape[1:]), str(single.dtype).removeprefix("torch.")
        return Input(shape=shape, dtype=dtype, name=name)
    return Input(shape=single.shape, dtype=single.dtype, name=name)


def make_tensors(
    inputs: Sequence[Input | Tensor], *, batch: int, device: str, default: torch.dtype
) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """Positional and keyword arguments, on the meta device or as small random numbers on the CPU (seeded).

    `default` is the dtype of the module: single-precision inputs follow it. Tensors keep their batch.
    """
    generator = torch.Generator().manual_seed(0)
    positional: list[Tensor] = []
    named: dict[str, Tensor] = {}
    for one in inputs:
        if isinstance(one, Tensor):
            positional.append(torch.empty_like(one, device="meta") if device == "meta" else one.detach().to(device))
            continue
        dtype = default if one.dtype == "float32" else getattr(torch, one.dtype)
        shape = (batch, *one.shape)
        empty = device == "meta"
        tensor = torch.empty(shape, dtype=dtype, device="meta") if empty else _random(shape, dtype, generator)
        if one.name is None:
            positional.append(tensor)
        else:
            named[one.name] = tensor
    return tuple(positional), named


def _random(shape: tuple[int, ...], dtype: torch.dtype, generator: torch.Generator) -> Tensor:
    if dtype.is_floating_point or dtype.is_complex:
        return torch.randn(shape, dtype=dtype, generator=generator)
    if dtype == torch.bool:
        return torch.ones(shape, dtype=dtype)
    return torch.randint(0, 2, shape, dtype=dtype, generator=generator)
