"""Build a module with as few numbers as its constructor allows."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

LARGE = 2**14
"""Numbers from which a tensor is taken for weights, and not for something that a constructor reads."""
MODERATE = 2**28
MASKS = "its masks are buffers, and their numbers say what is seen"
MAKERS = frozenset((torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn))


class LargeOnMeta(TorchFunctionMode):
    """Inside of it, large new tensors have shapes but no numbers, and small ones are ordinary."""

    def __torch_function__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        if func in MAKERS and given.get("device") is None and _numbers(func, args, given) >= LARGE:
            given["device"] = "meta"
        return func(*args, **given)


def without_numbers(call: Callable[[], object]) -> tuple[object, str]:
    """What the call makes, on the meta device; or with small tensors on the CPU, for constructors that read some.

    Gives why it was not built like that ("" when it was), and None in the place of the thing then.
    """
    try:
        with torch.device("meta"):
            made = call()
        return (None, MASKS) if isinstance(made, nn.Module) and _masks_are_buffers(made) else (made, "")
    except Exception as error:
        why = f"it failed with {type(error).__name__}: {error}".rstrip(": ").partition("\n")[0].rstrip(".")
    try:
        with LargeOnMeta():
            return call(), ""
    except Exception:
        return None, why


def _masks_are_buffers(module: nn.Module) -> bool:
    """Masks decide what is seen, so that their numbers are worth a module of moderate size."""
    size = sum(one.numel() for one in module.parameters())
    return size <= MODERATE and any(
        name.endswith("mask") and one.is_meta and one.is_floating_point() for name, one in module.named_buffers()
    )


def _numbers(func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
    size = kwargs.get("size", args)
    if size and isinstance(size[0], tuple | list | torch.Size):
        size = size[0]
    return prod(size) if all(isinstance(side, int) for side in size) else 0
