"""Intervals of the arithmetic beside the pixels that have a gradient."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.zoo.oracle import forward_linear, hull, profile
from torch import nn

from fieldcraft.anatomy.fields import axes_of, followed, intervals_of, unit_dimension
from fieldcraft.anatomy.inputs import Input
from fieldcraft.anatomy.joins import Policy
from fieldcraft.anatomy.sights import EVERYWHERE, INSIDE, Exactness, least_exact
from fieldcraft.anatomy.trace import Traced, trace

Interval = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Compared:
    """One unit of an output along one axis of one input."""

    axis: tuple[int, int]
    unit: int
    truth: Interval
    said: Interval
    exact: Exactness
    pixels: int

    @property
    def inside(self) -> bool:
        """The truth lies inside of the interval."""
        if self.truth is None:
            return True
        return self.said is not None and self.said[0] <= self.truth[0] and self.truth[1] <= self.said[1]

    @property
    def claimed(self) -> bool:
        """Said to be exact, everywhere or as no border cuts the interval; padding alone sees nothing."""
        cut = self.said is not None and (self.said[0] <= 0 or self.said[1] >= self.pixels - 1)
        return self.truth is not None and (self.exact == EVERYWHERE or (self.exact == INSIDE and not cut))

    @property
    def right(self) -> bool:
        """What is claimed is so."""
        return self.inside and (not self.claimed or self.truth == self.said)


def traced(net: nn.Module, shapes: Sequence[tuple[int, ...]]) -> Traced:
    """The recorded pass."""
    return trace(net, [Input(shape=shape) for shape in shapes])


def last_event(seen: Traced) -> int:
    """The event that made the first output of the network."""
    return max(place for place, event in enumerate(seen.capture.events) if seen.outputs[0] in event.outputs[:1])


def compared(net: nn.Module, shapes: Sequence[tuple[int, ...]], *, policy: Policy = "local") -> Iterator[Compared]:
    """Every unit of the network's first output, on every axis of every input."""
    seen = traced(net, shapes)
    place = last_event(seen)
    inputs, output = forward_linear(net, shapes, local=policy == "local")
    tracks = followed(seen, kept=seen.outputs)
    dims = axes_of(seen)
    for source, (value, name) in enumerate(zip(seen.inputs, seen.input_names, strict=True)):
        own = [track for track in tracks if track.value == value]
        for order, axis in enumerate(dims[name]):
            said = intervals_of(seen, place, source, order, policy=policy)
            sight = own[order].scene(policy).sights.get(seen.outputs[0])
            shape = seen.capture.values[seen.outputs[0]].shape
            dim = unit_dimension(sight, shape)
            many = len(said) > 1
            for unit, interval in enumerate(said):
                whole = output if many else output.sum(dim, keepdim=True)
                real = hull(profile(inputs[source], whole, axis - 2, unit, dim)) if output.requires_grad else None
                exact = least_exact([sight])
                yield Compared((source, order), unit, real, interval, exact, shapes[source][axis - 1])
