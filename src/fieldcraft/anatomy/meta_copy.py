"""A copy of a module to look at: the user's own is never moved, switched or changed."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from fieldcraft.errors import InspectError


def meta_copy(module: nn.Module) -> nn.Module:
    """The same module with parameters and buffers that have shapes but no numbers, and take no memory."""
    return _copy(module, lambda tensor: torch.empty_like(tensor, device="meta"))


def real_copy(module: nn.Module) -> nn.Module:
    """The same module on the CPU. Parameters are shared with the user's where they lie there; buffers are its own.

    What has no numbers (a module built on the meta device) gets small random ones.
    """
    generator = torch.Generator().manual_seed(0)

    def real(tensor: Tensor) -> Tensor:
        if tensor.is_meta:
            empty = torch.zeros(tensor.shape, dtype=tensor.dtype)
            return empty.normal_(0, 0.02, generator=generator) if empty.is_floating_point() else empty
        return tensor.detach().to("cpu")

    return _copy(module, real, own_buffers=True)


def _copy(module: nn.Module, replaced: Callable[[Tensor], Tensor], *, own_buffers: bool = False) -> nn.Module:
    lazy = next((name for name, one in module.named_parameters() if isinstance(one, UninitializedParameter)), None)
    if lazy is not None:
        raise InspectError(
            f"{lazy} of {type(module).__name__} has no shape yet (a lazy layer): call the module once on a batch first."
        )
    memo: dict[int, object] = {}
    for parameter in module.parameters():
        memo[id(parameter)] = nn.Parameter(replaced(parameter), requires_grad=parameter.requires_grad)
    for buffer in module.buffers():
        fresh = replaced(buffer)
        memo[id(buffer)] = fresh.clone() if own_buffers else fresh
    try:
        return copy.deepcopy(module, memo)
    except Exception as error:
        raise InspectError(
            f"{type(module).__name__} cannot be copied ({type(error).__name__}: {error}), and fieldcraft looks at a "
            "copy so that your module stays as it is: leave locks, files, generators and graph tensors out of its "
            "attributes."
        ) from error
