"""A large kernel becomes a stack of 3x3 convolutions.

What it does: a kernel of 5, 7, ... (odd, the same along every axis, no dilation) becomes 2, 3, ... convolutions of 3;
the last one takes the stride and the bias. Between them stands a PReLU whose slope starts at 1, so that the stack is
at first one linear map and training can bend it.
Unsafe: the function changes, as far as the stack cannot make the old kernel; near the borders more so, because zeros
are added around every step.
Left alone: stacks that would cost more (a first convolution on an image), reused or shared layers, even kernels.
Weights: 3x3 factors are split off one at a time by alternating least squares, starting from the middle of the old
kernel, so the error is never above that of cutting the kernel. Where a system would have more than 1024 unknowns the
cut is kept as it is.
Cost: 18 / 25 of the multiply-adds and parameters for 5x5, 27 / 49 for 7x7; 54 / 125 and 81 / 343 in 3-D.
Source: Simonyan and Zisserman 2014, arXiv:1409.1556, section 2.3; Szegedy et al. 2015, arXiv:1512.00567, section 3.1.
"""

from itertools import product
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from fieldcraft.inspection.rewrites.flow import Flow
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.tree import Convolutions, axes_of, is_plain, is_plain_convolution, maker_of, put
from fieldcraft.records.anatomy import Anatomy

ROUNDS = 12
LARGEST = 1024


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


def factorised(kernel: Tensor, groups: int, count: int) -> list[Tensor]:
    """Factors of 3, first to be applied first, whose composition is near the kernel."""
    whole = kernel.double().reshape(groups, -1, *kernel.shape[1:])
    factors: list[Tensor] = []
    for _ in range(count - 1):
        inner, outer = _split(whole)
        factors.append(outer)
        whole = inner
    return [factor.flatten(0, 1).to(kernel) for factor in (whole, *reversed(factors))]


def _split(whole: Tensor) -> tuple[Tensor, Tensor]:
    """(groups, outputs, inputs, *k) as a kernel of k - 2, then one of 3 from outputs to outputs."""
    groups, outputs = whole.shape[:2]
    axes = whole.dim() - 3
    inside: tuple[Any, ...] = (..., *[slice(1, -1)] * axes)
    centre: tuple[Any, ...] = (..., *[1] * axes)
    inner = whole[inside].clone()
    outer = torch.zeros(groups, outputs, outputs, *[3] * axes, dtype=whole.dtype, device=whole.device)
    outer[centre] = torch.eye(outputs, dtype=whole.dtype, device=whole.device)
    if outputs * inner[0, 0, 0].numel() > LARGEST or whole.is_meta:
        return inner, outer
    for _ in range(ROUNDS):
        outer = _fit_outer(whole, inner)
        inner = _fit_inner(whole, outer)
    return inner, outer


def _fit_outer(whole: Tensor, inner: Tensor) -> Tensor:
    """Least squares for the 3-kernel: a column for each (middle channel, tap), a row for each (input, position)."""
    groups, outputs = whole.shape[:2]
    axes, middle = whole.dim() - 3, inner.shape[1]
    columns = torch.stack([_placed(inner, tap, whole.shape[3:]) for tap in product(range(3), repeat=axes)], 2)
    system = columns.flatten(1, 2).flatten(2)  # (groups, middle * taps, inputs * positions)
    found: Tensor = torch.linalg.lstsq(system.mT, whole.flatten(2).mT).solution
    return found.mT.reshape(groups, outputs, middle, *[3] * axes)


def _fit_inner(whole: Tensor, outer: Tensor) -> Tensor:
    """Least squares for the kernel of k - 2: a row for each (output, position)."""
    groups, _, inputs, *sizes = whole.shape
    middle = outer.shape[2]
    small = [size - 2 for size in sizes]
    turned = outer.transpose(1, 2)  # (groups, middle, outputs, 3...)
    columns = torch.stack([_placed(turned, tap, sizes) for tap in product(*map(range, small))], 2)
    system = columns.flatten(1, 2).flatten(2)
    found: Tensor = torch.linalg.lstsq(system.mT, whole.transpose(1, 2).flatten(2).mT).solution
    return found.mT.reshape(groups, inputs, middle, *small).transpose(1, 2)


def _placed(kernel: Tensor, offset: tuple[int, ...], sizes: torch.Size | list[int]) -> Tensor:
    """The kernel inside of a larger, empty one."""
    room = torch.zeros(*kernel.shape[:3], *sizes, dtype=kernel.dtype, device=kernel.device)
    where: tuple[Any, ...] = (..., *(slice(at, at + size) for at, size in zip(offset, kernel.shape[3:], strict=True)))
    room[where] = kernel
    return room


def composed(factors: list[Tensor], groups: int) -> Tensor:
    """The one kernel that convolutions in a row amount to."""
    whole = factors[0].double().reshape(groups, -1, *factors[0].shape[1:])
    for factor in factors[1:]:
        outer = factor.double().reshape(groups, -1, *factor.shape[1:])
        sizes = [a + b - 1 for a, b in zip(whole.shape[3:], outer.shape[3:], strict=True)]
        taps = product(*(range(size) for size in outer.shape[3:]))
        whole = sum(
            (_placed(torch.einsum("gom,gmi...->goi...", _at(outer, tap), whole), tap, sizes) for tap in taps),
            start=torch.zeros((), dtype=torch.float64, device=whole.device),
        )
    return whole.flatten(0, 1)


def _at(kernel: Tensor, tap: tuple[int, ...]) -> Tensor:
    where: tuple[Any, ...] = (..., *tap)
    return kernel[where]


def relative_error(kernel: Tensor, factors: list[Tensor], groups: int) -> float:
    """Of the composition, in the root of the sum of squares; 0 without numbers."""
    if kernel.is_meta:
        return 0.0
    exact = kernel.double()
    return float((composed(factors, groups) - exact).norm() / exact.norm().clamp_min(1e-300))


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
