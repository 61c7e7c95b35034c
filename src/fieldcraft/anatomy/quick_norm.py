"""Batch norm in evaluation mode without numbers: the shapes that come out, at once.

PyTorch computes them on the meta device by a decomposition in Python, which takes most of the time of a trace.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

NORM = torch.ops.aten.native_batch_norm.default


def quick_norm(function: Any, args: Sequence[Any]) -> tuple[Tensor, Tensor, Tensor] | None:
    """What batch norm gives on the meta device in evaluation mode; None for everything else."""
    if function is not NORM or len(args) < 6 or args[5] or not args[0].is_meta or args[3] is None or args[0].dim() < 2:
        return None
    x, mean = args[0], args[3]
    if x.shape[1] != mean.shape[0] or any(one is not None and one.shape != mean.shape for one in args[1:3]):
        return None  # torch has the message for it
    return torch.empty_like(x), torch.empty_like(mean), torch.empty_like(mean)


class QuickNorms(TorchDispatchMode):
    """The same inside of a block."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = quick_norm(func, args)
        return func(*args, **(kwargs or {})) if found is None else found
