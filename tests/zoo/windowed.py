"""Positive linear stand-ins for pools and resizes."""

from typing import Any

import torch
import torch.nn.functional as F
from tests.zoo.call import NOTHING, Call, Handler, Kwargs, active
from tests.zoo.pointwise import bilinear
from torch import Tensor

TAP = 1e-9
"""Weights of a resize that are smaller are rounding errors."""


def sides(value: Any, count: int) -> tuple[int, ...]:
    return (value,) * count if isinstance(value, int) else tuple(value) * (count if len(value) == 1 else 1)


def window_sums(x: Tensor, dim: int, kernel: int, stride: int, padding: int, dilation: int, count: int) -> Tensor:
    """The sum over each window along one dimension."""
    behind = max(0, (count - 1) * stride + (kernel - 1) * dilation + 1 - padding - x.shape[dim])
    padded = torch.cat([zeros(x, dim, padding), x, zeros(x, dim, behind)], dim)
    taps = (padded.narrow(dim, tap * dilation, (count - 1) * stride + 1) for tap in range(kernel))
    picked = [tap.index_select(dim, torch.arange(0, tap.shape[dim], stride)) for tap in taps]
    return sum(picked[1:], picked[0]) / kernel


def zeros(x: Tensor, dim: int, size: int) -> Tensor:
    shape = list(x.shape)
    shape[dim] = size
    return x.new_zeros(shape)


def max_pool(axes: int) -> Handler:
    """The mean over the same windows, whatever their dilation; what `ceil_mode` adds counts the pixels that exist."""

    def handler(call: Call) -> Any:
        x = call.args[0]
        if not active(x):
            return call.original()
        original = call.shape_of_original()
        shape = original[0].shape if isinstance(original, tuple) else original.shape
        kernel = sides(call.get(1, "kernel_size"), axes)
        stride = sides(call.get(2, "stride") or kernel, axes)
        padding, dilation = sides(call.get(3, "padding", 0), axes), sides(call.get(4, "dilation", 1), axes)
        for axis in range(axes):
            dim = axis - axes
            x = window_sums(x, dim, kernel[axis], stride[axis], padding[axis], dilation[axis], shape[dim])
        return (x, original[1]) if isinstance(original, tuple) else x

    return handler


def convolution(axes: int) -> Handler:
    """A depthwise one as sums over its windows, axis by axis: torch is a hundred times slower at it in float64."""

    def handler(call: Call) -> Any:
        x, weight = call.get(0, "input"), call.get(1, "weight")
        padding, channels = call.get(4, "padding", 0), x.shape[-axes - 1]
        alike = call.get(6, "groups", 1) == channels == weight.shape[0] > 1 and not isinstance(padding, str)
        if not alike or not active(x) or active(weight) or not bool((weight > NOTHING).all()):
            return bilinear(call)
        stride, dilation = sides(call.get(3, "stride", 1), axes), sides(call.get(5, "dilation", 1), axes)
        for axis, (kernel, border) in enumerate(zip(weight.shape[2:], sides(padding, axes), strict=True)):
            dim = axis - axes
            count = (x.shape[dim] + 2 * border - dilation[axis] * (kernel - 1) - 1) // stride[axis] + 1
            x = window_sums(x, dim, kernel, stride[axis], border, dilation[axis], count)
        return x

    return handler


def adaptive_max_pool(axes: int) -> Handler:
    def handler(call: Call) -> Any:
        x = call.args[0]
        if not active(x):
            return call.original()
        original = call.shape_of_original()
        size = (original[0] if isinstance(original, tuple) else original).shape[-axes:]
        mean = getattr(F, f"adaptive_avg_pool{axes}d")(x, size)
        return (mean, original[1]) if isinstance(original, tuple) else mean

    return handler


def resize_matrix(length: int, settings: Kwargs) -> Tensor:
    """Weights (out, in) of a resize along one axis, cleared of rounding errors and of signs."""
    mode = settings["mode"]
    eye = torch.eye(length, dtype=torch.float64).unsqueeze(1)
    if mode == "bicubic" or settings.get("antialias"):
        size, factor = settings.pop("size"), settings.pop("scale_factor")
        size, factor = (None if size is None else (1, size)), (None if factor is None else (1.0, factor))
        # The axis comes last: torch 2.14 antialiases a map of width 1 wrongly along its height.
        weights = F.interpolate(eye.unsqueeze(2), size=size, scale_factor=factor, **settings).squeeze(2)
    else:
        weights = F.interpolate(eye, **settings)
    weights = weights.squeeze(1).T.abs()
    return torch.where(weights > TAP, weights, 0.0)


MODES_1D = {"bilinear": "linear", "trilinear": "linear"}


def interpolate(call: Call) -> Any:
    """Each axis on its own; nearest and area are positive as they are."""
    names = ("input", "size", "scale_factor", "mode", "align_corners", "recompute_scale_factor", "antialias")
    given: Kwargs = {**dict(zip(names, call.args, strict=False)), **call.kwargs}
    x, mode = given["input"], given.get("mode", "nearest")
    if not active(x) or mode in ("nearest", "nearest-exact", "area"):
        return call.original()
    axes = x.dim() - 2
    antialias = bool(given.get("antialias"))
    for axis in range(axes):
        settings: Kwargs = {
            "size": one_of(given.get("size"), axis, axes),
            "scale_factor": one_of(given.get("scale_factor"), axis, axes),
            "mode": mode if antialias else MODES_1D.get(mode, mode),
            "align_corners": given.get("align_corners"),
            "recompute_scale_factor": given.get("recompute_scale_factor"),
            "antialias": antialias,
        }
        weights = resize_matrix(x.shape[axis + 2], settings)
        x = torch.movedim(torch.movedim(x, axis + 2, -1) @ weights.T, -1, axis + 2)
    return x


def one_of(value: Any, axis: int, axes: int) -> Any:
    return value[axis] if isinstance(value, tuple | list | torch.Size) and len(value) == axes else value
