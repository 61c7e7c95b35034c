"""A large kernel becomes a stack of 3x3 convolutions.

What it does: a kernel of 5, 7, ... (odd, the same along every axis, no dilation) becomes 2, 3, ... convolutions of 3;
the last one takes the stride and the bias. Between them stands a PReLU whose slope starts at 1, so that the stack is
at first one linear map and training can bend it.
Unsafe: the function changes, as far as the stack cannot make the old kernel; near the borders more so, because zeros
are added around every step.
Left alone: stacks that would cost more (a first convolution on an image), reused or shared layers, even kernels.
Weights: least squares (`kernel_factors`), never worse than cutting the kernel. Exact in one dimension with as many
channels in as out; in more a kernel that is a stack is mostly found to be one when two factors make it, or near the
identity, and others are neared as far as the steps go, which are fewer for wide layers.
Cost: 18 / 25 of the multiply-adds and parameters for 5x5, 27 / 49 for 7x7; 54 / 125 and 81 / 343 in 3-D.
Source: Simonyan and Zisserman 2014, arXiv:1409.1556, section 2.3; Szegedy et al. 2015, arXiv:1512.00567, section 3.1.
"""

from math import prod

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from fieldcraft.inspection.rewrites.flow import Flow
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.kernel_factors import factorised, relative_error
from fieldcraft.inspection.rewrites.tree import Convolutions, axes_of, is_plain, is_plain_convolution, maker_of, put
from fieldcraft.records.anatomy import Anatomy


def apply(module: nn.Module, anatomy: Anatomy, options: Options) -> Outcome:
    """Stack every large kernel where that saves something."""
    flow = Flow(anatomy)
    changes, left = [], []
    for path, layer in list(module.named_modules()):
        if not (is_plain(layer, Convolutions) and is_plain_convolution(layer) and options.wanted(path)):
            continue
        size = layer.kernel_size[0]
        if size < 5 or len(set(layer.kernel_size)) > 1 or size % 2 == 0 or max(layer.dilation) > 1:
            continue
        count = (size - 1) // 2
        if (
            layer.padding == "valid"
            or isinstance(layer.padding, str)
            or len(set(layer.padding)) > 1
            or not flow.alone(path)
        ):
            left.append(Change(path=path, what="reused, shared, or padded by name or unevenly"))
            continue
        before, after = _costs(layer, count)
        if after >= before:
            left.append(Change(path=path, what=f"a stack would cost {after / before:.1f} times as much"))
            continue
        factors = factorised(layer.weight.detach(), layer.groups, count)
        put(module, path, _stack(layer, factors))
        error = relative_error(layer.weight.detach(), factors, layer.groups)
        changes.append(Change(path=path, what=f"{size} -> {count} x 3, relative error of the kernel {error:.2f}"))
    return Outcome(changes=tuple(changes), left=tuple(left))


def _costs(layer: _ConvNd, count: int) -> tuple[float, float]:
    """Multiply-adds a position of the output; all but the last of the stack work before the stride."""
    axes = axes_of(layer)
    each = 3**axes * layer.out_channels / layer.groups
    denser = prod(layer.stride)
    stack = each * (layer.in_channels * denser + layer.out_channels * ((count - 2) * denser + 1))
    return layer.weight[0].numel() * layer.out_channels, stack


def _stack(layer: _ConvNd, factors: list[Tensor]) -> nn.Sequential:
    kind, axes, count = maker_of(layer), axes_of(layer), len(factors)
    total = layer.padding[0]
    assert isinstance(total, int)
    steps: list[nn.Module] = []
    for place, factor in enumerate(factors):
        last = place == count - 1
        margin = total // count + (place < total % count)
        conv = kind(
            layer.in_channels if place == 0 else layer.out_channels,
            layer.out_channels,
            3,
            stride=layer.stride if last else 1,
            padding=margin,
            groups=layer.groups,
            bias=last and layer.bias is not None,
        ).to(layer.weight)
        with torch.no_grad():
            conv.weight.copy_(factor.reshape(-1, *factor.shape[-axes - 1 :]))
            if last and layer.bias is not None and conv.bias is not None:
                conv.bias.copy_(layer.bias)
        steps += [conv] if last else [conv, nn.PReLU(layer.out_channels, init=1.0).to(layer.weight)]
    return nn.Sequential(*steps)


REWRITE = Rewrite(
    name="stack-kernels",
    codes=("FC008",),
    safe=False,
    training_too=False,
    looks_for="a convolution with an odd kernel of 5 or more along every axis, where a stack of 3s costs less",
    apply=apply,
)
