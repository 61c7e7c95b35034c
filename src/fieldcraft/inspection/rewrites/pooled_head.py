"""Pool the map before the head instead of flattening it.

What it does: a linear layer on a flattened map becomes the mean over all positions and a small one ("average"), or
pyramid pooling over 1, 2 x 2 and 4 x 4 bins and a linear layer ("pyramid"). The head then takes maps of any size.
Unsafe: the function changes. With "average" it stays for maps that are constant over the positions, with "pyramid" for
maps that are constant within each of the finest bins.
Left alone: layers whose flattened map has one position, reused or shared ones; for the pyramid, flattening that is no
submodule (torch.flatten in a forward).
Weights: "average": summed over the positions (their average, times the sum that the mean leaves out). "pyramid": summed
over each of the finest bins; coarser bins start at zero.
Cost: 1 / positions of the head's parameters ("average"), at most 21 / positions ("pyramid").
Source: Lin et al. 2013, arXiv:1312.4400, section 3.2; He et al. 2014, arXiv:1406.4729.
"""

from collections.abc import Callable
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.inspection.rewrites.flow import Flow
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.tree import is_plain, put
from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.operations import Rearrange, Regulariser

BINS = (1, 2, 4)


class PooledLinear(nn.Linear):
    """A linear layer on the means over the positions of a flattened map. Shape: (n, c positions) -> (n, outputs)."""

    def forward(self, x: Tensor) -> Tensor:
        """Average over the positions, however many there are, then map."""
        return super().forward(x.reshape(x.shape[0], self.in_features, -1).mean(2))


class PyramidPool(nn.Module):
    """Means over grids of bins, coarse to fine, side by side. Shape: (n, c, *map) -> (n, c sum(bins^axes))."""

    def __init__(self, bins: tuple[int, ...]) -> None:
        super().__init__()
        self.bins = bins

    def forward(self, x: Tensor) -> Tensor:
        """Pool over every grid."""
        pool: Callable[..., Tensor] = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[x.dim() - 3]
        return torch.cat([pool(x, (size,) * (x.dim() - 2)).flatten(1) for size in self.bins], 1)


def apply(module: nn.Module, anatomy: Anatomy, options: Options) -> Outcome:
    """Pool ahead of every linear layer that reads a flattened map."""
    flow = Flow(anatomy)
    changes, left = [], []
    for path, layer in list(module.named_modules()):
        if not is_plain(layer, (nn.Linear,)) or isinstance(layer, PooledLinear) or not options.wanted(path):
            continue
        source = _map(flow, path)
        if source is None:
            continue
        shape, maker = source
        if not flow.alone(path):
            left.append(Change(path=path, what="reused or shared"))
            continue
        if options.head == "average":
            put(module, path, averaged(layer, shape[0]))
        elif maker and is_plain(module.get_submodule(maker), (nn.Flatten,)) and flow.alone(maker):
            bins = tuple(size for size in BINS if size <= min(shape[1:]))
            put(module, path, by_bins(layer, shape, bins))
            put(module, maker, PyramidPool(bins))
        else:
            left.append(Change(path=path, what='the map is flattened by no nn.Flatten; head "average" works'))
            continue
        text = f"map of {' x '.join(map(str, shape[1:]))}: {layer.weight.numel()} weights"
        changes.append(Change(path=path, what=f"{text} -> {_weights(module, path)}"))
    return Outcome(changes=tuple(changes), left=tuple(left))


def _weights(module: nn.Module, path: str) -> int:
    new = module.get_submodule(path)
    assert isinstance(new, nn.Linear)
    return new.weight.numel()


def _map(flow: Flow, path: str) -> tuple[tuple[int, ...], str] | None:
    """Channels and sizes of the map that a linear layer reads flattened, and the submodule that flattens it."""
    if path not in flow.rows or not flow.rows[path][0].inputs:
        return None
    anatomy, value, maker = flow.anatomy, flow.rows[path][0].inputs[0], ""
    flat = anatomy.shape(value)
    while (row := anatomy.maker.get(value)) is not None and isinstance(row.operation, Rearrange | Regulariser):
        before = anatomy.shape(row.inputs[0]) if row.inputs else ()
        if isinstance(row.operation, Rearrange) and "view" not in row.source and "reshape" not in row.source:
            return None
        value, maker = row.inputs[0], row.module if len(before) > 2 else maker
        if len(before) > 2:
            whole = len(flat) == 2 and prod(before[1:]) == flat[1] and prod(before[2:]) > 1
            return (before[1:], maker) if whole else None
    return None


def averaged(layer: nn.Linear, channels: int) -> PooledLinear:
    """The head that does the same on maps that are constant over the positions."""
    new = PooledLinear(channels, layer.out_features, bias=layer.bias is not None).to(layer.weight)
    with torch.no_grad():
        new.weight.copy_(layer.weight.double().reshape(layer.out_features, channels, -1).sum(2))
        _copy_bias(layer, new)
    return new


def by_bins(layer: nn.Linear, shape: tuple[int, ...], bins: tuple[int, ...]) -> nn.Linear:
    """The head that does the same on maps that are constant within the finest bins.

    Adaptive bins overlap where they do not divide the map: a position is then shared among its bins.
    """
    channels, *sizes = shape
    axes, finest = len(sizes), bins[-1]
    weight = layer.weight.detach().double().reshape(layer.out_features, *shape)
    for axis, size in enumerate(sizes):
        share = torch.zeros(finest, size, dtype=torch.float64, device=weight.device)
        for place in range(finest):
            share[place, place * size // finest : -(-(place + 1) * size // finest)] = 1
        share /= share.sum(0)
        weight = torch.movedim(torch.movedim(weight, axis + 2, -1) @ share.T, -1, axis + 2)
    total = sum(size**axes for size in bins) * channels
    new = nn.Linear(total, layer.out_features, bias=layer.bias is not None).to(layer.weight)
    with torch.no_grad():
        new.weight.zero_()
        new.weight[:, -channels * finest**axes :] = weight.flatten(1).to(new.weight)
        _copy_bias(layer, new)
    return new


def _copy_bias(layer: nn.Linear, new: nn.Linear) -> None:
    if layer.bias is not None:
        new.bias.copy_(layer.bias)


REWRITE = Rewrite(
    name="pooled-head",
    codes=("FC026", "FC027"),
    safe=False,
    training_too=False,
    looks_for="a linear layer on a flattened map of more than one position",
    apply=apply,
)
