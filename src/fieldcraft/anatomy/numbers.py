"""Numbers that a forward pass makes without its inputs and parameters: masks, grids, indices.

A pass over meta tensors has shapes only. What depends on nothing but constants and buffers is small and can be worked
out after the fact: the events that made it are carried out again on the CPU, in their order, so that writes through
views are seen.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fieldcraft.anatomy.capture import OVERLAY, Capture, Event, Ref, Seen

SHAPES_ONLY = frozenset("new_zeros new_ones new_empty new_full zeros_like ones_like empty_like full_like".split())
"""Operations that take the shape or the type of a tensor, and none of its numbers."""
RANDOM = ("rand", "normal", "uniform", "bernoulli", "exponential", "dropout", "multinomial", "poisson")
LARGEST = 2**22


def plain_numbers(capture: Capture) -> dict[int, Tensor]:
    """Values by number, with their content; what is random, large or unknown is left out."""
    given = ((seen.id, _given(seen, capture)) for seen in capture.values)
    now = {value: numbers for value, numbers in given if numbers is not None}
    found = dict(now)
    for event in capture.events:
        made: dict[int, Tensor] = {}
        if event.function == OVERLAY:
            old, new = event.refs()
            if old in now and new in now:
                made = {event.outputs[0]: now[old]}
        elif not isinstance(event.function, str) and _can_be_done(event, now, capture):
            if event.in_place:
                found |= _before_a_write(event, found, now)
            made = _done(event, now, capture)
        now |= made
        found |= made
    return found


def _before_a_write(event: Event, found: Mapping[int, Tensor], now: Mapping[int, Tensor]) -> dict[int, Tensor]:
    """Copies of the values whose storage is about to be written to: they stay what they were."""
    written = {now[value].untyped_storage().data_ptr() for value in event.refs() if value in now}
    return {value: one.clone() for value, one in found.items() if one.untyped_storage().data_ptr() in written}


def _given(seen: Seen, capture: Capture) -> Tensor | None:
    """Of a constant or a buffer; a copy, since events may write to it."""
    if seen.origin not in ("buffer", "constant"):
        return None
    own = capture.buffers.get(seen.name) if seen.origin == "buffer" else seen.tensor
    if own is None or own.is_meta or own.numel() > LARGEST:
        return None
    return own.detach().to("cpu", copy=True)


def _can_be_done(event: Event, known: Mapping[int, Tensor], capture: Capture) -> bool:
    if any(capture.values[one].tensor.numel() > LARGEST for one in event.outputs) or event.packet.startswith(RANDOM):
        return False
    return event.packet in SHAPES_ONLY or all(value in known for value in event.refs())


def _done(event: Event, known: Mapping[int, Tensor], capture: Capture) -> dict[int, Tensor]:
    made = carried_out(event, lambda value: known[value] if value in known else _blank(capture, value))
    return dict(zip(event.outputs, made, strict=False))


def _blank(capture: Capture, value: int) -> Tensor:
    seen = capture.values[value].tensor
    return torch.zeros((), dtype=seen.dtype).expand(seen.shape)


def carried_out(event: Event, number: Any) -> tuple[Tensor, ...]:
    """The event again, on the CPU, with `number(value)` in place of its tensors; nothing where it cannot be."""
    try:
        result = event.function(
            *_filled(event.args, number), **{key: _filled(one, number) for key, one in event.kwargs.items()}
        )
    except (RuntimeError, NotImplementedError, IndexError, ValueError, TypeError):
        return ()
    return tuple(one for one in (result if isinstance(result, tuple | list) else (result,)) if isinstance(one, Tensor))


def _filled(given: Any, number: Any) -> Any:
    if isinstance(given, Ref):
        return number(given.value)
    if isinstance(given, torch.device):
        return torch.device("cpu")
    if isinstance(given, tuple):
        return [_filled(one, number) for one in given]
    return given
