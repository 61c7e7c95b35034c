"""A GPU that is not there: numbers stay on the CPU, and everything else is as strict as CUDA.

Tensors are on the card when they were sent to it, made on it, or computed from such. Operations that mix both raise, as
does `numpy()` of what is on the card; what makes the CPU wait for the card is counted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch._dynamo
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

CARD = torch.device("cuda", 0)
ATEN = torch.ops.aten
CROSSES = {ATEN.copy_.default, ATEN._to_copy.default}
WAITS = {ATEN._local_scalar_dense.default, ATEN.nonzero.default, ATEN.masked_select.default, ATEN.equal.default}
MEMORY = 8 << 30
Generator = torch.Generator


class Seeded(Generator):
    """A generator that knows whether its random numbers are the card's."""

    card: bool

    def __new__(cls, device: Any = "cpu") -> "Seeded":
        found = super().__new__(cls)
        found.card = torch.device(device).type == "cuda"
        return found


class Card:
    """Which storages are on it; they are kept, so that no other takes their place in memory."""

    def __init__(self) -> None:
        self.kept: dict[int, object] = {}
        self.waits: list[str] = []
        self.here = False
        """Whether what is made now is made on it."""

    def has(self, tensor: Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self.kept

    def take(self, found: Any) -> Any:
        for one in tree_leaves(found):
            if isinstance(one, Tensor):
                storage = one.untyped_storage()
                self.kept[storage._cdata] = storage
        return found


def tensors(*of: Any) -> list[Tensor]:
    return [one for one in tree_leaves(of) if isinstance(one, Tensor)]


class Operations(TorchDispatchMode):
    """Every operation, those of backward passes as well."""

    def __init__(self, card: Card) -> None:
        super().__init__()
        self.card = card

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        card, given = self.card, tensors(args, kwargs)
        there = [one for one in given if card.has(one)]
        if func in WAITS and there:
            card.waits.append(str(func))
        if there and func not in CROSSES and any(one.ndim and not card.has(one) for one in given):
            raise RuntimeError(f"{func}: tensors on the card and on the CPU")
        found = func(*args, **(kwargs or {}))
        if func is ATEN.copy_.default:
            return found
        return card.take(found) if there or (card.here and not given) else found


class Calls(TorchFunctionMode):
    """Every call from Python: what names a device."""

    def __init__(self, card: Card) -> None:
        super().__init__()
        self.card = card

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        card, kwargs = self.card, dict(kwargs or {})
        of = getattr(func, "__self__", None)
        name = getattr(func, "__name__", "")
        first = args[0] if args and isinstance(args[0], Tensor) else None
        if of is Tensor.device and first is not None:
            return CARD if card.has(first) else func(*args)
        if of is Tensor.is_cuda and first is not None:
            return card.has(first)
        if func is Tensor.to or func is Tensor.cpu or func is Tensor.cuda:
            return self._sent(func, first, args[1:], kwargs)
        if func is Tensor.pin_memory:
            assert first is not None and not card.has(first)
            return first.clone()
        if func is Tensor.numpy and first is not None and card.has(first):
            raise TypeError("can't convert a tensor on the card to numpy")
        if func is Tensor.tolist and first is not None and card.has(first):
            card.waits.append("tolist")
        if func is Tensor.__deepcopy__ and first is not None and card.has(first):
            return card.take(func(*args, **kwargs))
        kwargs.pop("pin_memory", None)
        wanted = kwargs.get("device")
        if wanted is not None:
            kwargs["device"] = "cpu"
        on = torch.device(wanted).type == "cuda" if wanted is not None else any(map(card.has, tensors(args, kwargs)))
        if isinstance(kwargs.get("generator"), Seeded) and kwargs["generator"].card != on:
            raise RuntimeError(f"{name}: a generator of another device")
        if on and wanted is not None and func is torch.tensor:
            card.waits.append("torch.tensor")
        before, card.here = card.here, on
        waits = list(card.waits)
        try:
            return func(*args, **kwargs)
        finally:
            card.here = before
            if func is torch.nn.functional.one_hot:  # looks at the numbers on a CPU alone
                card.waits[:] = waits

    def _sent(self, func: Any, tensor: Tensor | None, args: Any, kwargs: Any) -> Tensor:
        assert tensor is not None
        card, was = self.card, self.card.has(tensor)
        device, dtype, free, layout = (
            (torch.device("cpu" if func is Tensor.cpu else "cuda"), None, False, None)
            if func is not Tensor.to
            else _parsed(args, kwargs)
        )
        on = was if device is None else device.type == "cuda"
        if device is None and args and isinstance(args[0], Tensor):
            on = card.has(args[0])
        if on == was:
            changed = tensor if dtype is None else tensor.type(dtype)
            return changed if layout is None else changed.contiguous(memory_format=layout)
        if not free:
            card.waits.append("to the card" if on else "from the card")
        detached = torch.ops.aten._to_copy.default
        found: Tensor = _Crossed.apply(tensor, detached, dtype, layout, card, on)
        return found


class _Crossed(torch.autograd.Function):
    """A copy on the other side, through which gradients go back."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, copy: Any, dtype: Any, layout: Any, card: Card, on: bool) -> Tensor:
        with torch.utils._python_dispatch._disable_current_modes():
            found: Tensor = copy(tensor, dtype=dtype, memory_format=layout)
        return card.take(found) if on else found

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        raise AssertionError("no gradient goes from device to device here")


def _parsed(args: Any, kwargs: Any) -> tuple[torch.device | None, torch.dtype | None, bool, Any]:
    if args and isinstance(args[0], Tensor):
        return None, args[0].dtype, False, None
    device, dtype = kwargs.get("device"), kwargs.get("dtype")
    for one in args:
        if isinstance(one, torch.dtype):
            dtype = one
        elif isinstance(one, str | torch.device):
            device = one
    free = bool(kwargs.get("non_blocking")) or True in args
    return None if device is None else torch.device(device), dtype, free, kwargs.get("memory_format")


@contextmanager
def pretended(monkeypatch: pytest.MonkeyPatch) -> Iterator[Card]:
    """A process that has a card."""
    none: Callable[..., None] = lambda *args, **kwargs: None  # noqa: E731
    there = {
        "is_available": lambda: True, "is_bf16_supported": lambda including_emulation=True: True,
        "get_device_properties": lambda index: SimpleNamespace(name="pretended card", total_memory=MEMORY),
        "mem_get_info": lambda device: (MEMORY, MEMORY), "max_memory_allocated": lambda *args: 2**20,
        "synchronize": none, "reset_peak_memory_stats": none, "set_rng_state": none,
        "get_rng_state": lambda device: torch.zeros(1, dtype=torch.uint8), "device_count": lambda: 1,
        "default_generators": (Generator(),), "is_current_stream_capturing": lambda: False,
    }  # fmt: skip
    autocast = torch.autocast
    torch._dynamo.trace_rules.get_torch_obj_rule_map()  # made once in a process, and not of functions from here
    for name, function in there.items():
        monkeypatch.setattr(torch.cuda, name, function)
    for check in ("_accelerator_graph_capture_health_check", "_cuda_graph_capture_health_check"):  # by version of torch
        monkeypatch.setattr(torch.optim.Optimizer, check, none, raising=False)
    monkeypatch.setattr(torch, "Generator", Seeded)
    monkeypatch.setattr(torch, "autocast", lambda kind, *args, **kwargs: autocast("cpu", *args, **kwargs))
    card = Card()
    with Operations(card), Calls(card):
        yield card
