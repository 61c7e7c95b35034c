"""Looks inside a training step: gradients, updates, dead and saturated units; seldom, so that it costs next to nothing.

Stands alone: in anyone's own loop

    watcher = Watcher(net, name="mine", planned=1000, tell=looks.append)
    for step in range(1000):
        with watcher.step(step, targets):
            optimiser.zero_grad(); loss(net(inputs), targets).backward(); optimiser.step()
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isfinite

import torch
from torch import Tensor, nn

from fieldcraft.records.training import LayerLook, Look

FIRST = (0, 3, 10, 30)
"""Early steps that are looked at: what goes wrong mostly goes wrong there."""
EVERY, MOST = 50, 40
"""Afterwards at least so many steps lie between looks, and a rung has about so many looks."""
MOST_NUMBERS = 2**19
"""Outputs of one layer that are read; larger maps are read at places a few pixels apart."""
MOST_CLASSES = 100
FLAT = 0.1
"""Share of the steepest slope below which a sigmoid or tanh counts as saturated."""


class Watcher:
    """Looks at some steps of one network's training; changes nothing that is computed.

    Layers are modules with a weight matrix; units are seen through `nn.ReLU`, `nn.ReLU6`, `nn.Sigmoid` and `nn.Tanh`
    modules (functional calls are not), and not at all with `units=False`, as a compiled network needs it.
    """

    def __init__(
        self, net: nn.Module, *, name: str, planned: int, tell: Callable[[Look], None], classes: int = 0,
        units: bool = True,
    ) -> None:  # fmt: skip
        self.net, self.name, self.tell, self.units = net, name, tell, units
        self.classes = classes if classes <= MOST_CLASSES else 0
        self.every = max(EVERY, planned // MOST)

    def due(self, step: int) -> bool:
        """Whether this step is looked at; a function of its number alone."""
        return step in FIRST or (step > 0 and step % self.every == 0)

    @contextmanager
    def step(self, step: int, targets: Tensor | None = None) -> Iterator[None]:
        """Around forward pass, backward pass and optimiser step; gradients must still be there when it ends."""
        if not self.due(step):
            yield
            return
        weights = _weights(self.net)
        before = [weight.detach().clone() for weight in weights.values()]
        if self.units:
            with _watched_units(self.net) as units:
                yield
        else:
            units = {}
            yield
        self.tell(Look(rung=self.name, step=step, layers=_layers(weights, before, units), classes=self._count(targets)))

    def _count(self, targets: Tensor | None) -> tuple[int, ...]:
        if not self.classes or targets is None or targets.ndim != 1 or targets.is_floating_point():
            return ()
        return tuple(torch.bincount(targets, minlength=self.classes).tolist())


class _Units:
    """What one activation module gave in a step, over all parts of the batch."""

    def __init__(self) -> None:
        self.active: Tensor | None = None
        self.flat: Tensor | None = None
        self.parts = 0

    def see(self, kind: nn.Module, output: Tensor) -> None:
        seen = _thinned(output.detach())
        if isinstance(kind, nn.ReLU | nn.ReLU6):
            channel = 1 if seen.ndim != 3 else 2
            active = (seen > 0).movedim(channel, 0).flatten(1).any(1)
            self.active = active if self.active is None else self.active | active
        else:
            values = seen.float()
            slope = values * (1 - values) * 4 if isinstance(kind, nn.Sigmoid) else 1 - values * values
            flat = (slope < FLAT).float().mean()
            self.flat = flat if self.flat is None else self.flat + flat
        self.parts += 1

    def look(self, name: str) -> LayerLook:
        dead = None if self.active is None else 1 - float(self.active.float().mean())
        flat = None if self.flat is None else float(self.flat) / self.parts
        return LayerLook(name=name, dead=dead, saturated=flat)


@contextmanager
def _watched_units(net: nn.Module) -> Iterator[dict[str, _Units]]:
    units: dict[str, _Units] = {}
    handles = []
    for name, part in net.named_modules():
        if isinstance(part, nn.ReLU | nn.ReLU6 | nn.Sigmoid | nn.Tanh):
            handles.append(part.register_forward_hook(_hook(units, name)))
    try:
        yield units
    finally:
        for handle in handles:
            handle.remove()


def _hook(units: dict[str, _Units], name: str) -> Callable[[nn.Module, object, object], None]:
    def seen(part: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, Tensor) and output.ndim >= 2:
            units.setdefault(name, _Units()).see(part, output)

    return seen


def _thinned(output: Tensor) -> Tensor:
    """Every so many-th place of a large map; samples and channels stay whole."""
    spread = max(1, -(-output.numel() // MOST_NUMBERS))
    if spread == 1 or output.ndim < 4:
        return output
    apart = min(round(spread ** (1 / (output.ndim - 2))) or 1, min(output.shape[2:]))
    places = (slice(None), slice(None), *(slice(apart // 2, None, apart) for _ in output.shape[2:]))
    return output[places]


def _weights(net: nn.Module) -> dict[str, nn.Parameter]:
    """Weights of at least two dimensions that learn, by the module that holds them; shared ones once."""
    found: dict[str, nn.Parameter] = {}
    seen: set[int] = set()
    for name, part in net.named_modules():
        weight = getattr(part, "weight", None)
        if not isinstance(weight, nn.Parameter) or id(weight) in seen:
            continue
        if weight.requires_grad and weight.ndim >= 2 and weight.numel():
            found[name] = weight
            seen.add(id(weight))
    return found


@torch.no_grad()
def _layers(weights: dict[str, nn.Parameter], before: list[Tensor], units: dict[str, _Units]) -> tuple[LayerLook, ...]:
    layers: list[LayerLook] = []
    if weights:
        after = [weight.detach() for weight in weights.values()]
        size = torch.stack(torch._foreach_norm(before))
        moved = torch.stack(torch._foreach_norm(torch._foreach_sub(after, before)))
        gradients = [
            torch.zeros_like(old) if new.grad is None else new.grad
            for new, old in zip(weights.values(), before, strict=True)
        ]
        slopes = torch.stack(torch._foreach_norm(gradients))
        for name, norm, update, slope in zip(weights, size.tolist(), moved.tolist(), slopes.tolist(), strict=True):
            layers.append(LayerLook(name=name, gradient=_share(slope, norm), update=_share(update, norm)))
    layers += [found.look(name) for name, found in units.items()]
    return tuple(layers)


def _share(number: float, norm: float) -> float | None:
    """None for weights that are all zero, and for what is no number."""
    share = number / norm if norm > 0 else float("inf")
    return share if isfinite(share) else None
