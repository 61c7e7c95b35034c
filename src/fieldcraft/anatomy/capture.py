"""Watch one forward pass: every ATen operation as an event, with the submodule and the line that made it.

Tensors are numbered values. An operation that writes in place makes a new value out of the old one, so that events form
a graph without circles whatever the module does; other views of the storage that was written to are renewed by an
event of their own (`OVERLAY`).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from fieldcraft.anatomy.fused_attention import PLAIN, attending, attention_without_numbers
from fieldcraft.anatomy.location import nearest_line
from fieldcraft.anatomy.quick_norm import quick_norm
from fieldcraft.anatomy.recurrent import shape_only
from fieldcraft.records.anatomy import Location

OVERLAY = "overlay"
RECURRENT = "recurrent"
REGULARISER = "regulariser"
WHOLE = (nn.RNNBase,)
"""Modules that are one event: their loops over time would be thousands."""
READS_VALUES = frozenset(
    (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.equal.default, torch.ops.aten.is_nonzero.default)
)
"""Operations that turn a tensor into a plain number or an answer."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A tensor among the arguments of an event."""

    value: int


@dataclass(frozen=True, slots=True)
class Event:
    """One operation as it happened."""

    function: Any
    """The ATen overload, or one of OVERLAY, RECURRENT, REGULARISER."""
    args: tuple[Any, ...]
    """As they were given, with a Ref for each tensor."""
    kwargs: dict[str, Any]
    outputs: tuple[int, ...]
    module: str
    kind: str
    call: int
    location: Location | None
    layer: nn.Module | None = None
    """For modules that are one event, or that dispatch nothing: the (copied) module."""

    @property
    def name(self) -> str:
        """Such as aten.convolution.default."""
        return self.function if isinstance(self.function, str) else str(self.function)

    @property
    def packet(self) -> str:
        """Without the overload, such as convolution."""
        packet = getattr(self.function, "overloadpacket", self.function)  # higher-order operators have no overloads
        return packet if isinstance(packet, str) else str(packet.__name__)

    @property
    def in_place(self) -> bool:
        """It writes to one of its arguments."""
        return not isinstance(self.function, str) and bool(_written(self.function))

    def refs(self) -> Iterator[int]:
        """The values that it reads, in the order of the arguments."""
        yield from _refs(self.args)
        yield from _refs(tuple(self.kwargs.values()))


@dataclass(slots=True)
class Seen:
    """One value."""

    id: int
    tensor: Tensor
    shape: tuple[int, ...]
    origin: Literal["input", "parameter", "buffer", "constant", "operation"]
    name: str = ""
    view: bool = False
    """Shares its storage with an earlier value."""


@dataclass
class Capture:
    """What was seen."""

    events: list[Event] = field(default_factory=list)
    values: list[Seen] = field(default_factory=list)
    static: set[int] = field(default_factory=set)
    """Values that do not depend on any input."""
    parents: dict[int, frozenset[str]] = field(default_factory=dict)
    """Names of parameters and buffers that a static value was made of."""
    buffers: Mapping[str, Tensor] = field(default_factory=dict)
    """The module's own, by name; with their numbers, unless it was built without."""

    _makers: dict[int, Event] = field(default_factory=dict)
    _listed: int = 0

    def maker(self, value: int) -> Event | None:
        """The event that gave a value; None for inputs, parameters, buffers and constants."""
        for event in self.events[self._listed :]:
            self._makers.update(dict.fromkeys(event.outputs, event))
        self._listed = len(self.events)
        return self._makers.get(value)

    def is_static(self, event: Event) -> bool:
        """No input reaches the event."""
        return all(value in self.static for value in event.outputs)


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records every operation while it is entered."""

    supports_higher_order_operators = True

    def __init__(self, module: nn.Module, *, numbers: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.numbers = numbers
        self.capture = Capture()
        self.paths: dict[int, str] = {}
        for path, one in module.named_modules():
            self.paths.setdefault(id(one), path)
        self.stack: list[tuple[str, str, int]] = []
        self.deepest: tuple[str, nn.Module, tuple[object, ...]] | None = None
        self._calls: dict[str, int] = {}
        self._names: dict[int, int] = {}
        self._storages: dict[int, list[int]] = {}
        self._paused = 0
        for name, parameter in module.named_parameters():
            self.bind(parameter, "parameter", name)
        for name, buffer in module.named_buffers():
            self.bind(buffer, "buffer", name)

    def bind(
        self,
        tensor: Tensor,
        origin: Literal["input", "parameter", "buffer", "constant", "operation"],
        name: str = "",
        *,
        static: bool = True,
    ) -> int:
        """Number a tensor as a new value."""
        capture = self.capture
        value = len(capture.values)
        storage = _storage(tensor)
        earlier = self._storages.setdefault(storage, [])
        capture.values.append(Seen(value, tensor, tuple(tensor.shape), origin, name, view=bool(earlier)))
        earlier.append(value)
        self._names[id(tensor)] = value
        if static:
            capture.static.add(value)
            capture.parents[value] = frozenset((name,)) if origin in ("parameter", "buffer") else frozenset()
        return value

    def value_of(self, tensor: Tensor) -> int:
        """The value that a tensor is now; one that was never seen is a constant."""
        known = self._names.get(id(tensor))
        return self.bind(tensor, "constant") if known is None else known

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if self._paused:
            return func(*args, **kwargs)
        seen = self._seen(args)
        named = {key: self._seen(one) for key, one in kwargs.items()}
        if not self.numbers and func in READS_VALUES and any(value not in self.capture.static for value in _refs(seen)):
            raise NotImplementedError(f"{func}: the value of a meta tensor is asked for.")
        everything = (*args, *kwargs.values())
        mixed = _mixes_devices(everything)
        result = quick_norm(func, args)
        if result is None:
            result = func(*_on_meta(args), **_on_meta(kwargs)) if mixed else func(*args, **kwargs)
        written = tuple(
            args[key] if isinstance(key, int) else kwargs.get(key) for key in _written(func) if _has(args, key)
        )
        if mixed and written:  # what was written to is the caller's own tensor, not the stand-in without numbers
            result = written[0]
        self._record(func, seen, named, _tensors(result), _tensors(written))
        return result

    def attend(self, *args: Any, **kwargs: Any) -> Tensor:
        """Scaled dot-product attention, which is one event."""
        if self._paused:
            return PLAIN(*args, **kwargs)
        seen, named = self._seen(args), {key: self._seen(one) for key, one in kwargs.items()}
        self._paused += 1
        try:
            if _mixes_devices((*args, *kwargs.values())):
                args, kwargs = _on_meta(args), _on_meta(kwargs)
            result = attention_without_numbers(*args, **kwargs)
        finally:
            self._paused -= 1
        self._record(torch.ops.aten.scaled_dot_product_attention.default, seen, named, (result,), ())
        return result

    def _record(
        self,
        func: Any,
        seen: tuple[Any, ...],
        named: dict[str, Any],
        results: tuple[Tensor, ...],
        changed: tuple[Tensor, ...],
    ) -> None:
        capture = self.capture
        reads = [*_refs(seen), *_refs(tuple(named.values()))]
        static = all(value in capture.static for value in reads)
        parents = frozenset().union(*(capture.parents[value] for value in reads if value in capture.parents))
        fresh = [*results, *(one for one in changed if all(one is not result for result in results))]
        outputs = []
        for tensor in fresh:
            value = self.bind(tensor, "operation", static=static)
            if static:
                capture.parents[value] = parents
            outputs.append(value)
        path, kind, call = self.stack[-1] if self.stack else ("", "", 0)
        capture.events.append(Event(func, seen, named, tuple(outputs), path, kind, call, nearest_line()))
        for tensor in changed:
            self._renew_views(tensor, static=static)

    def _renew_views(self, tensor: Tensor, *, static: bool) -> None:
        """Everything else that looks at the same storage now depends on what was written."""
        new = self._names[id(tensor)]
        stale = {
            id(self.capture.values[value].tensor): value
            for value in self._storages[_storage(tensor)]
            if self._names.get(id(self.capture.values[value].tensor)) == value
        }
        stale.pop(id(tensor), None)
        for value in stale.values():
            other = self.capture.values[value].tensor
            both = static and value in self.capture.static
            renewed = self.bind(other, "operation", static=both)
            if both:
                self.capture.parents[renewed] = self.capture.parents[value] | self.capture.parents[new]
            path, kind, call = self.stack[-1] if self.stack else ("", "", 0)
            self.capture.events.append(
                Event(OVERLAY, (Ref(value), Ref(new)), {}, (renewed,), path, kind, call, nearest_line())
            )

    def _seen(self, one: Any) -> Any:
        if isinstance(one, Tensor):
            return Ref(self.value_of(one))
        if isinstance(one, tuple | list):
            return tuple(self._seen(part) for part in one)
        return one

    def enter(self, module: nn.Module, args: tuple[object, ...]) -> None:
        """A submodule's forward begins."""
        path = self.paths.get(id(module), "")
        call = self._calls.get(path, 0)
        self._calls[path] = call + 1
        self.stack.append((path, type(module).__name__, call))
        self.deepest = (path, module, args)
        self._paused += isinstance(module, WHOLE)

    def leave(self, module: nn.Module, args: tuple[object, ...], result: object, began: int) -> None:
        """A submodule's forward has ended."""
        path, kind, call = self.stack.pop()
        whole = isinstance(module, WHOLE)
        self._paused -= whole
        silent = len(self.capture.events) == began and not any(module.children())
        if self._paused or not (whole or silent):
            return
        reads, results = _tensors(args), _tensors(result)
        if not reads or not results or (silent and not whole and results[0] is not reads[0]):
            return
        refs = tuple(Ref(self.value_of(one)) for one in reads)
        static = all(ref.value in self.capture.static for ref in refs)
        outputs = tuple(self.bind(one, "operation", static=static) for one in (results if whole else results[:1]))
        if static:
            parents = frozenset().union(*(self.capture.parents.get(ref.value, frozenset()) for ref in refs))
            self.capture.parents.update(dict.fromkeys(outputs, parents))
        what = RECURRENT if whole else REGULARISER
        self.capture.events.append(Event(what, refs, {}, outputs, path, kind, call, nearest_line(), module))


@contextmanager
def recording(module: nn.Module, *, numbers: bool) -> Iterator[Recorder]:
    """Record what happens inside of the block; `module` must be a copy of our own, since it gets hooks.

    Without `numbers` the tensors are on the meta device.
    """
    recorder = Recorder(module, numbers=numbers)
    began: list[int] = []
    handles = []

    def before(one: nn.Module, args: tuple[object, ...]) -> None:
        recorder.enter(one, args)
        began.append(len(recorder.capture.events))

    def after(one: nn.Module, args: tuple[object, ...], result: object) -> None:
        recorder.leave(one, args, result, began.pop())

    for one in module.modules():
        if isinstance(one, torch.jit.ScriptModule):
            continue
        handles += [one.register_forward_pre_hook(before), one.register_forward_hook(after)]
        if isinstance(one, nn.RNNBase):
            one.forward = shape_only(one)
    try:
        with recorder, attending(recorder.attend):
            yield recorder
    finally:
        for handle in handles:
            handle.remove()


def _mixes_devices(given: tuple[Any, ...]) -> bool:
    """Constants made on the CPU inside of a forward meet tensors on the meta device (single numbers may)."""
    tensors = _tensors(given)
    return any(one.is_meta for one in tensors) and any(not one.is_meta and one.dim() > 0 for one in tensors)


def _on_meta(given: Any) -> Any:
    """The same arguments, with stand-ins that have no numbers."""
    if isinstance(given, Tensor):
        return given if given.is_meta or given.dim() == 0 else torch.empty_like(given, device="meta")
    if isinstance(given, dict):
        return {key: _on_meta(one) for key, one in given.items()}
    if isinstance(given, tuple | list):
        return type(given)(_on_meta(part) for part in given)
    return given


def _refs(given: Any) -> Iterator[int]:
    for one in given:
        if isinstance(one, Ref):
            yield one.value
        elif isinstance(one, tuple | list):
            yield from _refs(one)


def _tensors(given: object) -> tuple[Tensor, ...]:
    """All tensors of a nested result, in order."""
    if isinstance(given, Tensor):
        return (given,)
    if isinstance(given, tuple | list):
        return tuple(tensor for one in given for tensor in _tensors(one))
    if isinstance(given, dict):
        return tuple(tensor for one in given.values() for tensor in _tensors(one))
    return ()


def _has(args: tuple[Any, ...], key: int | str) -> bool:
    return isinstance(key, str) or key < len(args)


@cache
def _written(func: Any) -> tuple[int | str, ...]:
    """Arguments that an operation writes to: places, and names of those that are given by keyword only."""
    if not hasattr(func, "_schema"):
        return ()
    return tuple(
        argument.name if argument.kwarg_only else place
        for place, argument in enumerate(func._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    )


def _storage(tensor: Tensor) -> int:
    try:
        return int(tensor.untyped_storage()._cdata)
    except NotImplementedError:  # sparse and nested tensors have none
        return id(tensor)
