"""ONNX operators with windows: convolution, pooling, resizing, padding."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from fieldcraft.errors import InspectError
from fieldcraft.inspection.sources.onnx_node import Node

__fieldcraft_inner__ = True
CONV = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
TRANSPOSED = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}
MAX = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
GLOBAL: Mapping[str, Mapping[int, Callable[..., Tensor]]] = {
    "GlobalAveragePool": {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d},
    "GlobalMaxPool": {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d, 3: F.adaptive_max_pool3d},
}
RESIZED = {("linear", 1): "linear", ("linear", 2): "bilinear", ("linear", 3): "trilinear", ("cubic", 2): "bicubic"}
MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


def _axes(node: Node) -> int:
    axes = node[0].dim() - 2
    if axes not in CONV:
        raise InspectError(f"node {node.name} ({node.op}) must work on one to three axes, but got {axes}.")
    return axes


def _pads(
    node: Node, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Padding before and after each axis."""
    axes = len(kernel)
    auto = node.attribute("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        need = [
            max(0, (-(-size // step) - 1) * step + (k - 1) * d + 1 - size)
            for size, k, step, d in zip(node[0].shape[2:], kernel, stride, dilation, strict=True)
        ]
        less, more = [one // 2 for one in need], [one - one // 2 for one in need]
        return (less, more) if auto == "SAME_UPPER" else (more, less)
    pads = [int(one) for one in node.attribute("pads", [0] * 2 * axes)]
    return pads[:axes], pads[axes:]


def _padded(
    x: Tensor, before: Sequence[int], after: Sequence[int], value: float = 0.0, mode: str = "constant"
) -> Tensor:
    flat = [one for pair in zip(reversed(before), reversed(after), strict=True) for one in pair]
    return F.pad(x, flat, mode=mode, value=value) if mode == "constant" else F.pad(x, flat, mode=mode)


def convolution(node: Node) -> Tensor:
    """Conv."""
    axes = _axes(node)
    kernel = list(node[1].shape[2:])
    stride = node.attribute("strides", [1] * axes)
    dilation = node.attribute("dilations", [1] * axes)
    before, after = _pads(node, kernel, stride, dilation)
    x = node[0]
    if before != after:
        x, before = _padded(x, before, after), [0] * axes
    groups = int(node.attribute("group", 1))
    return CONV[axes](x, node[1], node.maybe(2), tuple(stride), tuple(before), tuple(dilation), groups)


def transposed(node: Node) -> Tensor:
    """ConvTranspose; uneven padding is cut off afterwards."""
    axes = _axes(node)
    kernel = list(node[1].shape[2:])
    stride = node.attribute("strides", [1] * axes)
    dilation = node.attribute("dilations", [1] * axes)
    extra = list(node.attribute("output_padding", [0] * axes))
    pads = [int(one) for one in node.attribute("pads", [0] * 2 * axes)]
    before, after = pads[:axes], pads[axes:]
    full = [
        (size - 1) * step + (k - 1) * d + 1 + e
        for size, step, k, d, e in zip(node[0].shape[2:], stride, kernel, dilation, extra, strict=True)
    ]
    wanted = node.attribute("output_shape")
    auto = node.attribute("auto_pad", "NOTSET")
    if wanted is None and auto in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [size * step for size, step in zip(node[0].shape[2:], stride, strict=True)]
    if wanted is not None:
        total = [have - want for have, want in zip(full, wanted, strict=True)]
        less, more = [one // 2 for one in total], [one - one // 2 for one in total]
        before, after = (more, less) if auto == "SAME_LOWER" else (less, more)
    groups = int(node.attribute("group", 1))
    even = before == after
    padding = tuple(before) if even else (0,) * axes
    out = TRANSPOSED[axes](
        node[0], node[1], node.maybe(2), tuple(stride), padding, tuple(extra), groups, tuple(dilation)
    )
    if even:
        return out
    for axis, (cut, end) in enumerate(zip(before, after, strict=True)):
        out = out.narrow(2 + axis, cut, out.shape[2 + axis] - cut - end)
    return out


def pool(node: Node) -> Any:
    """MaxPool and AveragePool."""
    axes = _axes(node)
    kernel = list(node.attribute("kernel_shape"))
    stride = list(node.attribute("strides", [1] * axes))
    dilation = list(node.attribute("dilations", [1] * axes))
    before, after = _pads(node, kernel, stride, dilation)
    ceil = bool(node.attribute("ceil_mode", 0))
    x = node[0]
    if before != after or any(2 * pad > k for pad, k in zip(before, kernel, strict=True)):
        x = _padded(x, before, after, float("-inf") if node.op == "MaxPool" else 0.0)
        before = [0] * axes
    if node.op == "MaxPool":
        if node.outputs > 1:
            return MAX[axes](x, kernel, stride, before, dilation, ceil, True)
        return MAX[axes](x, kernel, stride, before, dilation, ceil)
    if any(one != 1 for one in dilation):
        raise InspectError(f"node {node.name}: an AveragePool with dilation has no rule.")
    return AVERAGE[axes](x, kernel, stride, before, ceil, bool(node.attribute("count_include_pad", 0)))


def global_pool(node: Node) -> Tensor:
    """GlobalAveragePool and GlobalMaxPool."""
    axes = _axes(node)
    return GLOBAL[node.op][axes](node[0], (1,) * axes)


def resize(node: Node) -> Tensor:
    """Resize and Upsample."""
    x = node[0]
    axes = x.dim() - 2
    wanted = _resized(node, list(x.shape))
    if wanted[:2] != list(x.shape[:2]):
        raise InspectError(f"node {node.name} ({node.op}) must leave batch and channels alone, but resizes them.")
    mode = str(node.attribute("mode", "nearest"))
    if mode == "nearest":
        exact = node.attribute("coordinate_transformation_mode", "half_pixel") == "half_pixel" and node.op == "Resize"
        rounds_down = node.attribute("nearest_mode", "round_prefer_floor") == "floor"
        return F.interpolate(x, size=wanted[2:], mode="nearest-exact" if exact and not rounds_down else "nearest")
    known = RESIZED.get((mode, axes))
    if known is None:
        raise InspectError(f"node {node.name} ({node.op}): {mode} over {axes} axes has no rule.")
    aligned = node.attribute("coordinate_transformation_mode") == "align_corners"
    smooth = bool(node.attribute("antialias", 0)) and known in ("bilinear", "bicubic")
    return F.interpolate(x, size=wanted[2:], mode=known, align_corners=aligned, antialias=smooth)


def _resized(node: Node, shape: list[int]) -> list[int]:
    scales, sizes = (1, None) if node.op == "Upsample" or node.opset < 11 else (2, 3)
    if sizes is not None and node.maybe(sizes) is not None:
        values = [int(one) for one in node.known(sizes).reshape(-1).tolist()]
        factors = None
    else:
        factors = (
            node.attributes.get("scales") if node.maybe(scales) is None else node.known(scales).reshape(-1).tolist()
        )
        if not factors:
            raise InspectError(f"node {node.name} ({node.op}) has neither scales nor sizes.")
        values = []
    axes = [int(one) % len(shape) for one in node.attribute("axes", range(len(shape)))]
    wanted = list(shape)
    for place, axis in enumerate(axes):
        wanted[axis] = values[place] if factors is None else int(shape[axis] * factors[place])
    return wanted


def pad(node: Node) -> Tensor:
    """Pad, with the numbers as an attribute or as an input."""
    x = node[0]
    flat = node.listed(1, "pads") or []
    axes = node.listed(3) if node.maybe(3) is not None else list(range(x.dim()))
    before, after = [0] * x.dim(), [0] * x.dim()
    for place, axis in enumerate(axes or ()):
        before[axis], after[axis] = flat[place], flat[place + len(flat) // 2]
    mode = MODES[str(node.attribute("mode", "constant"))]
    if mode == "constant":
        return _padded(x, before, after, node.number(2, "value", 0.0) or 0.0)
    return _padded(x, before[2:], after[2:], mode=mode)


def depth_to_space(node: Node) -> Tensor:
    """DepthToSpace: in the order that pixel shuffle has, or with blocks first."""
    x, block = node[0], int(node.attribute("blocksize"))
    if node.attribute("mode", "DCR") == "CRD":
        return F.pixel_shuffle(x, block)
    n, c, h, w = x.shape
    blocks = x.reshape(n, block * block, c // (block * block), h, w).transpose(1, 2)
    return F.pixel_shuffle(blocks.reshape(n, c, h, w), block)


def space_to_depth(node: Node) -> Tensor:
    """SpaceToDepth."""
    x, block = node[0], int(node.attribute("blocksize"))
    n, c, h, w = x.shape
    out = F.pixel_unshuffle(x, block)
    return out.reshape(n, c, block * block, h // block, w // block).transpose(1, 2).reshape(out.shape)


def local_response(node: Node) -> Tensor:
    """LRN."""
    attribute = node.attribute
    size, alpha, beta = int(attribute("size")), attribute("alpha", 1e-4), attribute("beta", 0.75)
    return F.local_response_norm(node[0], size, alpha, beta, attribute("bias", 1.0))


def einsum(node: Node) -> Tensor:
    """Einsum."""
    return torch.einsum(str(node.attribute("equation")), *[one for one in node.inputs if one is not None])
