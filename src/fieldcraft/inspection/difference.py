"""How far two modules are apart, measured on random inputs."""

import copy
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from fieldcraft.anatomy.inputs import Input, make_tensors
from fieldcraft.anatomy.trace import default_dtype

LARGEST = 2 * 2**30
"""Bytes of parameters up to which double precision is tried."""
BATCH = 2


def difference(old: nn.Module, new: nn.Module, inputs: Sequence[Input | Tensor]) -> float | None:
    """Largest |new - old| over largest |old| of any output, in evaluation and where possible in double precision.

    None when shapes differ, or there are no numbers. Copies are run, never the modules themselves.
    """
    tensors = (*old.parameters(), *old.buffers())
    if any(one.is_meta for one in tensors):
        return None
    size = sum(one.numel() * one.element_size() for one in tensors)
    for dtype in (torch.float64, None) if size <= LARGEST else (None,):
        try:
            return _measured(_ready(old, dtype), _ready(new, dtype), inputs)
        except (RuntimeError, TypeError):
            if dtype is None:
                raise
    return None


def _ready(module: nn.Module, dtype: torch.dtype | None) -> nn.Module:
    ready = copy.deepcopy(module).cpu().eval()
    return ready if dtype is None else ready.to(dtype)


def _measured(old: nn.Module, new: nn.Module, inputs: Sequence[Input | Tensor]) -> float | None:
    dtype = default_dtype(old)
    positional, named = make_tensors(inputs, batch=BATCH, device="cpu", default=dtype)
    positional = tuple(one.to(dtype) if one.is_floating_point() else one for one in positional)
    results = []
    for module in (old, new):
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            given = [one.clone() for one in positional]
            results.append(list(_outputs(module(*given, **{key: one.clone() for key, one in named.items()}))))
    return relative(*results)


def relative(old: Sequence[Tensor], new: Sequence[Tensor]) -> float | None:
    """Largest over the outputs; None when they have other shapes."""
    if [one.shape for one in old] != [one.shape for one in new]:
        return None
    worst = 0.0
    for first, second in zip((one.detach() for one in old), (one.detach() for one in new), strict=True):
        if first.numel():
            scale = first.abs().max().double().clamp_min(1e-30)
            worst = max(worst, float((second - first).abs().max().double() / scale))
    return worst


def _outputs(result: object) -> Iterator[Tensor]:
    if isinstance(result, Tensor):
        yield result
    elif isinstance(result, Mapping):
        for one in result.values():
            yield from _outputs(one)
    elif isinstance(result, tuple | list):
        for one in result:
            yield from _outputs(one)
    elif hasattr(result, "__dataclass_fields__"):
        for name in result.__dataclass_fields__:
            yield from _outputs(getattr(result, name))
