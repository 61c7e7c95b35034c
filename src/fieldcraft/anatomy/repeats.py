"""The blocks of a network repeat: an operation that reads the same sights as an earlier one is followed once.

What comes out is shared, so that neither the time nor the memory grows with the number of equal blocks.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fieldcraft.anatomy.capture import OVERLAY, Capture, Event, Ref
from fieldcraft.anatomy.masks import Masks
from fieldcraft.anatomy.sights import Along, Each, Fixed, Sight
from fieldcraft.records.operations import MatMul, Operation, Recurrent, Softmax

Made = list[Sight | None]
MOST_NUMBERS = 2**22
"""Ends of intervals that are held on to: 32 MiB of them."""


def kinds_of(capture: Capture, operations: Sequence[Operation], masks: Masks) -> list[int | None]:
    """Equal numbers for events that do the same to tensors of the same shapes; None where that cannot be told."""
    numbers: dict[Hashable, int] = {}
    found: list[int | None] = []
    for event, operation in zip(capture.events, operations, strict=True):
        if isinstance(operation, Recurrent):  # its rule looks at the layer
            found.append(None)
            continue
        try:
            found.append(numbers.setdefault(_said(capture, event, operation, masks), len(numbers)))
        except TypeError:  # an argument that has no hash
            found.append(None)
    return found


def _said(capture: Capture, event: Event, operation: Operation, masks: Masks) -> Hashable:
    said: list[Hashable] = [event.function, operation]
    if isinstance(operation, Softmax) and operation.masked:
        said.append(masks.name(event.outputs[0]))
    if isinstance(operation, MatMul):
        said.append(masks.name(next(event.refs())))
    for one in _flat((event.args, tuple(event.kwargs.items()))):
        if not isinstance(one, Ref):
            said.append(one)
            continue
        seen = capture.values[one.value]
        said += (Ref, seen.shape)
        if event.function == OVERLAY:  # its rule looks at places in the storage
            said += (seen.tensor.stride(), seen.tensor.storage_offset())
    return (*said, *(capture.values[one].shape for one in event.outputs))


def _flat(given: Any) -> list[Any]:
    if isinstance(given, tuple | list):
        return ["(", *(part for one in given for part in _flat(one)), ")"]
    return [given]


@dataclass(slots=True)
class Repeats:
    """What came of the last operations."""

    known: dict[Hashable, Made] = field(default_factory=dict)
    _kept: list[Sight] = field(default_factory=list)
    """Sights that are told apart by identity live as long as the keys that name them."""
    _numbers: int = 0

    def add(self, key: Hashable, read: Sequence[Sight | None], made: Made) -> None:
        """What came of an operation that read these; all is let go of when it gets too much."""
        self._numbers += sum(2 * one.low.size for one in (*read, *made) if isinstance(one, Each))
        if self._numbers > MOST_NUMBERS:
            self.known.clear()
            self._kept.clear()
            self._numbers = 0
        self.known[key] = made
        self._kept += (one for one in read if one is not None and not isinstance(one, Fixed))


def name_of(sight: Sight | None) -> Hashable:
    """Equal for sights that say the same, as far as that is quickly told."""
    if isinstance(sight, Fixed):
        return sight.low, sight.high, sight.pooled, sight.exact, sight.aligned, sight.softened
    if isinstance(sight, Along) and sight.labels is None:
        return sight.dim, sight.palette, sight.exact, sight.aligned
    return None if sight is None else id(sight)
