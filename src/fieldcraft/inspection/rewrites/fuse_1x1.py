"""Fuse two 1x1 convolutions, or two linear layers, with nothing between them into one.

What it does: a linear map after a linear map is a linear map.
Safe: the function stays, in evaluation and in training (the path of an optimiser differs: fewer parameters share it).
Left alone: pairs where one map would cost more than the two (a narrow middle is a low-rank map, made on purpose),
convolutions whose second one pads (its zeros do not see the first bias), different groups, reused or shared layers,
dropout between.
Weights: the product, computed in double precision; b2 + W2 b1 for the bias.
Cost: fewer multiply-adds and parameters, never more.
Source: algebra.
"""

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from fieldcraft.inspection.rewrites.flow import Flow
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.tree import Convolutions, is_plain, is_plain_convolution, maker_of, put
from fieldcraft.records.anatomy import Anatomy


def apply(module: nn.Module, anatomy: Anatomy, options: Options) -> Outcome:
    """Fuse from the front, so that a chain of three becomes one layer."""
    flow = Flow(anatomy)
    changes, left = [], []
    holder: dict[str, str] = {}
    for row in anatomy.rows:
        path = row.module
        after = flow.after(path) if path and path in anatomy.by_module else None
        if after is None or after in holder or not (options.wanted(path) or options.wanted(after)):
            continue
        here = holder.get(path, path)
        first, second = module.get_submodule(here), module.get_submodule(after)
        if not (_is_pointwise(first) and _is_pointwise(second)) or type(first) is not type(second):
            continue
        if why := _hindrance(first, second, flow, path, after):
            left.append(Change(path=after, what=why))
            continue
        put(module, here, _fused(first, second))
        put(module, after, nn.Identity())
        holder[after] = here
        changes.append(Change(path=after, what=f"fused into {here}"))
    return Outcome(changes=tuple(changes), left=tuple(left))


def _is_pointwise(layer: nn.Module) -> bool:
    if is_plain(layer, (nn.Linear,)):
        return True
    return is_plain(layer, Convolutions) and is_plain_convolution(layer) and set(layer.kernel_size) == {1}


def _hindrance(first: nn.Module, second: nn.Module, flow: Flow, path: str, after: str) -> str:
    if not (flow.alone(path) and flow.alone(after)):
        return "reused, or its parameters are shared"
    assert isinstance(first, _ConvNd | nn.Linear) and isinstance(second, _ConvNd | nn.Linear)
    groups = 1
    before, behind = 1, 1
    if isinstance(first, _ConvNd) and isinstance(second, _ConvNd):
        if any(size != 0 for size in second.padding if not isinstance(size, str)) or second.padding == "same":
            return "pads between the two"
        if first.groups != second.groups:
            return f"{first.groups} and {second.groups} groups"
        groups = first.groups
        before, behind = _positions(flow.shape(path)), _positions(flow.shape(after))
    inputs, middle, outputs = _widths(first)[0], _widths(first)[1], _widths(second)[1]
    fused = inputs * outputs
    if fused * behind > inputs * middle * before + middle * outputs * behind or fused > middle * (inputs + outputs):
        return f"{inputs} -> {middle} -> {outputs} channels in {groups} groups cost less than one map"
    return ""


def _positions(shape: tuple[int, ...]) -> int:
    return max(1, torch.Size(shape[2:]).numel())


def _widths(layer: _ConvNd | nn.Linear) -> tuple[int, int]:
    if isinstance(layer, nn.Linear):
        return layer.in_features, layer.out_features
    return layer.in_channels, layer.out_channels


def _fused(first: nn.Module, second: nn.Module) -> nn.Module:
    if isinstance(first, nn.Linear) and isinstance(second, nn.Linear):
        bias = any(one.bias is not None for one in (first, second))
        new = nn.Linear(first.in_features, second.out_features, bias=bias).to(first.weight)
        return _filled(new, first, second, 1)
    assert isinstance(first, _ConvNd) and isinstance(second, _ConvNd)
    stride = tuple(a * b for a, b in zip(first.stride, second.stride, strict=True))
    made = maker_of(first)(
        first.in_channels,
        second.out_channels,
        first.kernel_size,
        stride=stride,
        padding=first.padding,
        groups=first.groups,
        bias=first.bias is not None or second.bias is not None,
    )
    return _filled(made.to(first.weight), first, second, first.groups)


def _filled(
    new: nn.Linear | _ConvNd, first: nn.Linear | _ConvNd, second: nn.Linear | _ConvNd, groups: int
) -> nn.Module:
    inner = first.weight.detach().double().reshape(groups, -1, first.weight.shape[1])
    outer = second.weight.detach().double().reshape(groups, -1, second.weight.shape[1])
    with torch.no_grad():
        new.weight.copy_((outer @ inner).reshape(new.weight.shape))
        if new.bias is not None:
            new.bias.copy_((outer @ _numbers(first).reshape(groups, -1, 1)).flatten() + _numbers(second))
    return new


def _numbers(layer: nn.Linear | _ConvNd) -> Tensor:
    if layer.bias is None:
        return torch.zeros(layer.weight.shape[0], dtype=torch.float64, device=layer.weight.device)
    return layer.bias.detach().double()


REWRITE = Rewrite(
    name="fuse-1x1",
    codes=("FC034",),
    safe=True,
    training_too=True,
    looks_for="two 1x1 convolutions or two linear layers with nothing between them, where one map costs no more",
    apply=apply,
)
