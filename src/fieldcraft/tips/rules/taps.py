"""Which pixels along one axis a unit can see, exactly: a set, not only its hull.

A set is a whole number whose bit `i` says that pixel `first + i` is seen.
"""

from dataclasses import dataclass

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.operations import (
    Activation,
    Arithmetic,
    Concatenate,
    Convolution,
    Normalisation,
    Pointwise,
    Pool,
    Rearrange,
    Regulariser,
)


@dataclass(frozen=True, slots=True)
class Taps:
    """What unit 0 sees along an axis."""

    seen: int
    first: int
    step: int
    """Pixels between units."""

    @property
    def span(self) -> int:
        """Pixels from the first to the last."""
        return self.seen.bit_length()

    @property
    def share(self) -> float:
        """Of the span that is seen."""
        return self.seen.bit_count() / self.span


def taps(anatomy: Anatomy, axis: int, axes: int) -> dict[int, Taps]:
    """For each value that convolutions, pooling, joins and pointwise functions make of an input of so many axes."""
    known = {one: Taps(1, 0, 1) for one in anatomy.inputs if len(anatomy.shape(one)) == axes + 2}
    for row in anatomy.rows:
        if (made := _through(anatomy, row, [known.get(value) for value in row.inputs], axis)) is not None:
            known[row.outputs[0]] = made
    return known


def _through(anatomy: Anatomy, row: Row, given: list[Taps | None], axis: int) -> Taps | None:
    came = [one for one in given if one is not None]
    if not came or len(came) < len(given) or not row.outputs:
        return None
    match row.operation:
        case Convolution(transposed=False) | Pool():
            return _window(came[0], row.operation, axis)
        case Arithmetic() | Concatenate():
            return _union(came)
        case Activation() | Normalisation() | Pointwise() | Regulariser():
            return came[0]
        case Rearrange():
            same = anatomy.shape(row.outputs[0])[2:] == anatomy.shape(row.inputs[0])[2:]
            return came[0] if same else None
        case _:
            return None


def _window(one: Taps, window: Convolution | Pool, axis: int) -> Taps | None:
    if axis >= len(window.kernel):
        return None
    rate = window.dilation[axis] * one.step
    seen = 0
    for tap in range(window.kernel[axis]):
        seen |= one.seen << (tap * rate)
    return Taps(seen, one.first - window.padding[axis] * one.step, one.step * window.stride[axis])


def _union(given: list[Taps]) -> Taps | None:
    if len({one.step for one in given}) > 1:
        return None
    first = min(one.first for one in given)
    seen = 0
    for one in given:
        seen |= one.seen << (one.first - first)
    return Taps(seen, first, given[0].step)
