"""Layers that read a whole map as one long vector."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.operations import Activation, AdaptivePool, Convolution, Linear, Rearrange
from fieldcraft.tips.rules.graph import map_after, map_before, passes_on


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatHead:
    """A linear layer of a flattened map, or a convolution whose kernel covers the map."""

    row: Row
    channels: int
    map: tuple[int, ...]
    pooled_to_size: bool
    """The map has this size for every input: adaptive pooling made it."""


def flat_heads(anatomy: Anatomy) -> Iterator[FlatHead]:
    """All of them behind the first convolution."""
    convolved = False
    for row in anatomy.rows:
        match row.operation:
            case Linear() if convolved and (flat := _flattened(anatomy, row)) is not None:
                shape = anatomy.shape(flat.inputs[0])
                pooled = _pooled(anatomy, flat)
                yield FlatHead(row=row, channels=shape[1], map=shape[2:], pooled_to_size=pooled)
            case Convolution(kernel=kernel, depthwise=False, transposed=False, dilation=dilation):
                covers = convolved and max(dilation) == 1 and _covers(anatomy, row, kernel)
                convolved = convolved or bool(row.inputs)
                if covers:
                    pooled = _pooled(anatomy, row)
                    channels = anatomy.shape(row.inputs[0])[1]
                    yield FlatHead(row=row, channels=channels, map=kernel, pooled_to_size=pooled)


def _covers(anatomy: Anatomy, row: Row, kernel: tuple[int, ...]) -> bool:
    axes = len(kernel)
    return prod(kernel) > 1 and map_before(anatomy, row, axes) == kernel and prod(map_after(anatomy, row, axes)) == 1


def _flattened(anatomy: Anatomy, row: Row) -> Row | None:
    """The row that made one vector a sample out of a map with channels."""
    while len(row.inputs) == 1 and (maker := anatomy.maker.get(row.inputs[0])) is not None and passes_on(maker):
        if isinstance(maker.operation, Rearrange) and len(maker.inputs) == 1:
            before, after = anatomy.shape(maker.inputs[0]), anatomy.shape(maker.outputs[0])
            if len(before) >= 3 and before[1] > 1 and prod(before[2:]) > 1:
                flat = after[:1] == before[:1] and len(after) == 2 and after[-1] == prod(before[1:])
                return maker if flat else None
        row = maker
    return None


def _pooled(anatomy: Anatomy, row: Row) -> bool:
    while len(row.inputs) == 1 and (maker := anatomy.maker.get(row.inputs[0])) is not None:
        if isinstance(maker.operation, AdaptivePool):
            return True
        if not passes_on(maker) and not isinstance(maker.operation, Activation):
            return False
        row = maker
    return False
