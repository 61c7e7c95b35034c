"""Pad convolutions that shrink the map at their borders.

What it does: a convolution of odd kernel without padding gets (kernel - 1) / 2 x dilation zeros on each side.
Unsafe: maps are larger from there on. At stride 1 the old map is the middle of the new one, number for number; new
values appear around it, and they see zeros.
Left alone: even kernels, kernels that tile (stride as large as the kernel, such as patches), kernels that cover the
whole map. A flattened map further on changes its length: that is refused with the layer that breaks.
Weights: kept.
Cost: more positions, so more multiply-adds.
Source: Innamorati et al. 2018, arXiv:1805.10030 (what borders lose).
"""

from torch import nn

from fieldcraft.inspection.rewrites.flow import Flow
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.tree import Convolutions, is_plain, is_plain_convolution
from fieldcraft.records.anatomy import Anatomy


def apply(module: nn.Module, anatomy: Anatomy, options: Options) -> Outcome:
    """Pad every odd convolution that has none, along the axes where its kernel is longer than its stride."""
    flow = Flow(anatomy)
    changes, left = [], []
    for path, layer in module.named_modules():
        if not (is_plain(layer, Convolutions) and is_plain_convolution(layer) and options.wanted(path)):
            continue
        if isinstance(layer.padding, str) or any(layer.padding) or max(layer.kernel_size) == 1 or path not in flow.rows:
            continue
        if any(size % 2 == 0 for size in layer.kernel_size):
            left.append(Change(path=path, what=f"a kernel of {layer.kernel_size} has no middle"))
            continue
        after = flow.shape(path)[2:]
        if any(step >= size > 1 for step, size in zip(layer.stride, layer.kernel_size, strict=True)) or set(after) == {
            1
        }:
            left.append(Change(path=path, what="its windows tile the map or cover all of it"))
            continue
        margin = tuple(hole * (size - 1) // 2 for hole, size in zip(layer.dilation, layer.kernel_size, strict=True))
        layer.padding = margin
        layer._reversed_padding_repeated_twice = [size for size in reversed(margin) for _ in range(2)]
        changes.append(Change(path=path, what=f"padding 0 -> {', '.join(map(str, margin))}"))
    return Outcome(changes=tuple(changes), left=tuple(left))


REWRITE = Rewrite(
    name="add-padding",
    codes=("FC006",),
    safe=False,
    training_too=False,
    looks_for="a convolution of odd kernel without padding whose windows overlap",
    apply=apply,
)
