"""The maps that a network gives on its way, finest first: what a decoder needs of an encoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from fieldcraft.nn.networks.transferred import BatchNorm, followed

SIDE = 128
"""Pixels of the image that shows what size each map has."""


@dataclass(frozen=True, kw_only=True)
class Tap:
    """One map on the way."""

    module: str
    """Whose output it is."""
    width: int
    """Channels."""
    reduction: int
    """Pixels of the image a side for each position of the map."""


@torch.no_grad()
def taps_of(body: nn.Module, channels: int) -> tuple[Tap, ...]:
    """The last map of each size among those of the parts that follow each other, finest first.

    Maps of a single position, and those that do not shrink the image by a whole factor, are passed over. Nothing where
    the body takes no image of 128 px, or where a map is no whole factor smaller than the one before.
    """
    names = {id(module): name for name, module in body.named_modules()}
    seen: list[Tap] = []

    def look(module: nn.Module, _: object, found: object) -> None:
        if isinstance(found, Tensor) and found.ndim == 4 and found.shape[2] == found.shape[3]:
            side = found.shape[2]
            whole = 1 < side <= SIDE and SIDE % side == 0
            seen.append(Tap(module=names[id(module)], width=found.shape[1], reduction=SIDE // side if whole else 0))

    handles = [module.register_forward_hook(look) for module in followed(body)]
    training = body.training
    try:
        body.eval()(torch.zeros(1, channels, SIDE, SIDE))
    except (RuntimeError, ValueError, AssertionError):
        return ()
    finally:
        body.train(training)
        for handle in handles:
            handle.remove()
    maps = [one for one in seen if one.width > 0 and one.reduction != 0]
    reductions = [one.reduction for one in maps]
    if reductions != sorted(reductions) or any(b % a for a, b in pairwise(reductions)):
        return ()
    return tuple({one.reduction: one for one in maps}.values())


class Tapped(nn.Module):
    """The view that the body's weights want, the body, and its maps on the way.

    Batch norms of the body follow the new images where `adapt_statistics` says so, and else keep what they learnt.

    Shape: as `view` takes it -> one map a tap, (n, width, h / reduction, w / reduction).
    """

    def __init__(self, view: nn.Module, body: nn.Module, taps: Sequence[Tap], *, adapt_statistics: bool = True) -> None:
        super().__init__()
        self.view, self.body, self.taps, self.adapt_statistics = view, body, tuple(taps), adapt_statistics
        self.train()

    def train(self, mode: bool = True) -> "Tapped":
        """Training mode for everything but batch norms that keep their statistics."""
        super().train(mode)
        if not self.adapt_statistics:
            for part in self.body.modules():
                if isinstance(part, BatchNorm):
                    part.eval()
        return self

    def forward(self, x: Tensor) -> list[Tensor]:
        """Maps of (n, channels, h, w), finest first."""
        found: dict[str, Tensor] = {}

        def keep(name: str) -> object:
            return self.body.get_submodule(name).register_forward_hook(lambda _, __, out: found.update({name: out}))

        handles = [keep(tap.module) for tap in self.taps]
        try:
            self.body(self.view(x))
        finally:
            for handle in handles:
                handle.remove()  # type: ignore[attr-defined]
        return [found[tap.module] for tap in self.taps]
