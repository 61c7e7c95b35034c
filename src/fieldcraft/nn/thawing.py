"""Gradual unfreezing: parts of a network that start frozen and begin to learn one after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True, eq=False)
class Frozen:
    """Weights that begin to learn at a share of the course; above 1: never."""

    weights: tuple[nn.Parameter, ...]
    until: float


class Thawing:
    """Tells weights whether they learn, by the share of the course that is over. For anyone's own loop.

    A frozen weight has no gradient, so that the backward pass ends at the first part that learns, and optimisers pass
    it over. `net.train` is called when something changes: norms may behave otherwise while they are frozen.
    Source: Howard and Ruder 2018, arXiv:1801.06146, section 3.3.
    """

    def __init__(self, net: nn.Module, frozen: Iterable[Frozen]) -> None:
        self.net, self.frozen = net, tuple(frozen)

    def at(self, share: float) -> None:
        """Let those learn whose time has come, and freeze the others; depends on nothing but `share`."""
        changed = False
        for part in self.frozen:
            learns = share >= part.until
            for weight in part.weights:
                if weight.requires_grad != learns:
                    weight.requires_grad_(learns)
                    changed = True
                if not learns:
                    weight.grad = None
        if changed:
            self.net.train(self.net.training)


def in_turn(parts: Sequence[tuple[nn.Parameter, ...]], *, first: float, last: float) -> tuple[Frozen, ...]:
    """Parts from input to output, the one at the output thawed at share `first`, the one at the input at `last`.

    Raises: ValueError unless `first <= last`.
    """
    if first > last:
        raise ValueError(f"`first <= last` must hold, but got {first=} and {last=}.")
    count = len(parts)
    step = (last - first) / (count - 1) if count > 1 else 0.0
    return tuple(Frozen(part, first + (count - 1 - place) * step) for place, part in enumerate(parts))
