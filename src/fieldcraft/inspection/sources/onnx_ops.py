"""What each ONNX operator does, in torch functions. `RULES` is the whole table; adding an operator is one line.

Source: ONNX operator schemas, opsets 11 to 21 (github.com/onnx/onnx, docs/Operators.md).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from fieldcraft.errors import InspectError
from fieldcraft.inspection.sources import onnx_windows as windows
from fieldcraft.inspection.sources.onnx_node import Node

__fieldcraft_inner__ = True
Rule = Callable[[Node], Any]
DTYPES: Mapping[int, torch.dtype] = {
    1: torch.float32, 2: torch.uint8, 3: torch.int8, 5: torch.int16, 6: torch.int32, 7: torch.int64, 9: torch.bool,
    10: torch.float16, 11: torch.float64, 14: torch.complex64, 15: torch.complex128, 16: torch.bfloat16,
}  # fmt: skip
"""By the numbers of TensorProto.DataType; unsigned kinds that torch lacks rules for are left out."""


def dtype_of(number: int, name: str) -> torch.dtype:
    """The torch kind of an ONNX kind."""
    if number not in DTYPES:
        raise InspectError(f"{name} has a kind of number (ONNX {number}) that fieldcraft has no rule for.")
    return DTYPES[number]


def _one(function: Callable[..., Tensor]) -> Rule:
    return lambda node: function(node[0])


def _two(function: Callable[..., Tensor]) -> Rule:
    return lambda node: function(node[0], node[1])


def _many(function: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    def run(node: Node) -> Tensor:
        result = node[0]
        for place in range(1, len(node.inputs)):
            result = function(result, node[place])
        return result

    return run


def _divide(node: Node) -> Tensor:
    if node[0].is_floating_point() or node[1].is_floating_point():
        return torch.div(node[0], node[1])
    return torch.div(node[0], node[1], rounding_mode="trunc")


def _gemm(node: Node) -> Tensor:
    a = node[0].t() if node.attribute("transA", 0) else node[0]
    alpha, beta = float(node.attribute("alpha", 1.0)), float(node.attribute("beta", 1.0))
    bias = node.maybe(2)
    if alpha == 1 and (bias is None or (beta == 1 and bias.dim() == 1)):
        weight = node[1] if node.attribute("transB", 0) else node[1].t()
        return F.linear(a, weight, bias)
    b = node[1].t() if node.attribute("transB", 0) else node[1]
    return a @ b * alpha if bias is None else torch.addmm(bias, a, b, beta=beta, alpha=alpha)


def _batch_norm(node: Node) -> Tensor:
    eps = float(node.attribute("epsilon", 1e-5))
    mean, variance = (one.detach() if one.requires_grad else one for one in (node[3], node[4]))
    return F.batch_norm(node[0], mean, variance, node[1], node[2], False, 0.1, eps)


def _instance_norm(node: Node) -> Tensor:
    return F.group_norm(node[0], node[0].shape[1], node[1], node[2], float(node.attribute("epsilon", 1e-5)))


def _group_norm(node: Node) -> Tensor:
    groups, channels = int(node.attribute("num_groups")), node[0].shape[1]
    scale, bias = node[1], node[2]
    if scale.shape[0] != channels:  # before opset 21 one number a group
        scale, bias = (one.repeat_interleave(channels // groups) for one in (scale, bias))
    return F.group_norm(node[0], groups, scale, bias, float(node.attribute("epsilon", 1e-5)))


def _layer_norm(node: Node) -> Tensor:
    axis = int(node.attribute("axis", -1)) % node[0].dim()
    shape = list(node[0].shape[axis:])
    bias = node.maybe(2)
    bias = None if bias is None else bias.reshape(shape)
    return F.layer_norm(node[0], shape, node[1].reshape(shape), bias, float(node.attribute("epsilon", 1e-5)))


def _rms_norm(node: Node) -> Tensor:
    axis = int(node.attribute("axis", -1)) % node[0].dim()
    return F.rms_norm(node[0], list(node[0].shape[axis:]), node[1], float(node.attribute("epsilon", 1e-5)))


def _prelu(node: Node) -> Tensor:
    slope = node[1]
    if slope.numel() in (1, node[0].shape[1]):
        return F.prelu(node[0], slope.reshape(-1))
    return torch.where(node[0] < 0, node[0] * slope, node[0])


def _clip(node: Node) -> Tensor:
    low, high = node.number(1, "min", None), node.number(2, "max", None)
    if low is None and high is None:
        return node[0]
    if (low, high) == (0.0, 6.0):
        return F.relu6(node[0])
    return torch.clamp(node[0], low, high)


def _softmax(function: Callable[..., Tensor]) -> Rule:
    def run(node: Node) -> Tensor:
        x = node[0]
        if node.opset >= 13:
            return function(x, int(node.attribute("axis", -1)))
        axis = int(node.attribute("axis", 1)) % x.dim()
        if axis == x.dim() - 1:
            return function(x, axis)
        return function(x.flatten(axis), -1 if axis else 0).reshape(x.shape)

    return run


def _reduce(function: Callable[..., Tensor]) -> Rule:
    def run(node: Node) -> Tensor:
        axes = node.listed(1, "axes")
        if not axes:
            if node.attribute("noop_with_empty_axes", 0):
                return node[0]
            axes = list(range(node[0].dim()))
        return function(node[0], axes, bool(node.attribute("keepdims", 1)))

    return run


def _product(x: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
    for axis in sorted((axis % x.dim() for axis in axes), reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


def _norm(order: float) -> Callable[..., Tensor]:
    return lambda x, axes, keep: torch.linalg.vector_norm(x, order, axes, keep)


def _arg(function: Callable[..., Tensor]) -> Rule:
    return lambda node: function(node[0], int(node.attribute("axis", 0)), bool(node.attribute("keepdims", 1)))


def _shape(node: Node) -> Tensor:
    start, end = node.attribute("start", 0), node.attribute("end")
    return torch.tensor(tuple(node[0].shape)[start:end], dtype=torch.int64)


def _reshape(node: Node) -> Tensor:
    wanted = node.listed(1, "shape") or []
    keep = not node.attribute("allowzero", 0)
    return node[0].reshape([node[0].shape[at] if one == 0 and keep else one for at, one in enumerate(wanted)])


def _flatten(node: Node) -> Tensor:
    axis = int(node.attribute("axis", 1))
    shape = node[0].shape
    axis = axis + len(shape) if axis < 0 else axis
    return node[0].reshape(math.prod(shape[:axis]), math.prod(shape[axis:]))


def _transpose(node: Node) -> Tensor:
    order = node.attribute("perm") or list(reversed(range(node[0].dim())))
    return node[0].permute(*order)


def _squeeze(node: Node) -> Tensor:
    axes = node.listed(1, "axes")
    return node[0].squeeze() if axes is None else node[0].squeeze(tuple(axes))


def _unsqueeze(node: Node) -> Tensor:
    axes = node.listed(1, "axes") or []
    result = node[0]
    rank = result.dim() + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        result = result.unsqueeze(axis)
    return result


def _expand(node: Node) -> Tensor:
    wanted = torch.broadcast_shapes(  # type: ignore[no-untyped-call]
        tuple(node[0].shape), tuple(node.listed(1) or ())
    )
    return node[0].expand(wanted)


def _slice(node: Node) -> Tensor:
    starts, ends = node.listed(1, "starts") or [], node.listed(2, "ends") or []
    axes = node.listed(3, "axes") or list(range(len(starts)))
    steps = node.listed(4) or [1] * len(starts)
    result = node[0]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step > 0:
            size = result.shape[axis]
            low, high, _ = slice(start, end, step).indices(size)
            result = result[(slice(None),) * (axis % result.dim()) + (slice(low, max(low, high), step),)]
        else:
            places = list(
                range(*slice(start, None if end < -result.shape[axis] else end, step).indices(result.shape[axis]))
            )
            if places == list(reversed(range(result.shape[axis]))):
                result = result.flip(axis)
            else:
                result = result.index_select(axis, torch.tensor(places, device=result.device))
    return result


def _split(node: Node) -> Any:
    axis = int(node.attribute("axis", 0))
    sizes = node.listed(1, "split")
    if sizes is None:
        size = node[0].shape[axis]
        each = -(-size // node.outputs)
        sizes = [each] * (size // each) + ([size % each] if size % each else [])
    return torch.split(node[0], sizes, axis)


def _gather(node: Node) -> Tensor:
    axis = int(node.attribute("axis", 0)) % max(1, node[0].dim())
    data, index = node[0], node[1]
    if index.numel() == 1 and node.numbers[1] is not None:
        place = int(node.known(1).reshape(-1)[0])
        picked = data.select(axis, place)
        return picked.reshape((*data.shape[:axis], *index.shape, *data.shape[axis + 1 :]))
    if axis == 0 and data.dim() == 2 and node.numbers[1] is None:
        return F.embedding(index, data)
    if node.numbers[1] is not None:
        index = torch.where(index < 0, index + data.shape[axis], index)
    flat = data.index_select(axis, index.reshape(-1))
    return flat.reshape((*data.shape[:axis], *index.shape, *data.shape[axis + 1 :]))


def _gather_elements(node: Node) -> Tensor:
    return torch.gather(node[0], int(node.attribute("axis", 0)), node[1])


def _gather_many(node: Node) -> Tensor:
    if node.attribute("batch_dims", 0):
        raise InspectError(f"node {node.name}: GatherND with batch dimensions has no rule.")
    return node[0][node[1].unbind(-1)]


def _scatter_many(node: Node) -> Tensor:
    return node[0].index_put(node[1].unbind(-1), node[2])


def _scatter_elements(node: Node) -> Tensor:
    return node[0].scatter(int(node.attribute("axis", 0)), node[1], node[2])


def _nonzero(node: Node) -> Tensor:
    return node.known(0).nonzero().t()


def _grid_sample(node: Node) -> Tensor:
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(m := str(node.attribute("mode", "bilinear")), m)
    padding, aligned = str(node.attribute("padding_mode", "zeros")), bool(node.attribute("align_corners", 0))
    return F.grid_sample(node[0], node[1], mode, padding, aligned)


def _cast(node: Node) -> Tensor:
    return node[0].to(dtype_of(int(node.attribute("to")), node.name))


def _constant_of_shape(node: Node) -> Tensor:
    value = node.attribute("value")
    fill = torch.zeros(1) if value is None else value
    return torch.full(tuple(node.listed(0) or ()), fill.reshape(-1)[0].item(), dtype=fill.dtype)


def _range(node: Node) -> Tensor:
    start, end, step = (node.known(place).reshape(-1)[0].item() for place in range(3))
    return torch.arange(start, end, step, dtype=node.known(0).dtype)


def _trilu(node: Node) -> Tensor:
    k = int(node.known(1)) if node.maybe(1) is not None else 0
    return torch.triu(node[0], k) if node.attribute("upper", 1) else torch.tril(node[0], k)


def _tile(node: Node) -> Tensor:
    return node[0].repeat(*(node.listed(1) or ()))


def _concat(node: Node) -> Tensor:
    return torch.cat([node[place] for place in range(len(node.inputs))], int(node.attribute("axis")))


def _gelu(node: Node) -> Tensor:
    return F.gelu(node[0], approximate=str(node.attribute("approximate", "none")))


def _hard_sigmoid(node: Node) -> Tensor:
    alpha, beta = float(node.attribute("alpha", 0.2)), float(node.attribute("beta", 0.5))
    if math.isclose(alpha, 1 / 6, rel_tol=1e-4) and beta == 0.5:
        return F.hardsigmoid(node[0])
    return (node[0] * alpha + beta).clamp(0, 1)


def _top_k(node: Node) -> Any:
    k = int(node.known(1).reshape(-1)[0])
    return torch.topk(node[0], k, int(node.attribute("axis", -1)), bool(node.attribute("largest", 1)))


def _dropout(node: Node) -> Any:
    return (node[0], torch.ones_like(node[0], dtype=torch.bool)) if node.outputs > 1 else node[0]


def _cumsum(node: Node) -> Tensor:
    return torch.cumsum(node[0], int(node.known(1).reshape(-1)[0]))


def _mod(node: Node) -> Tensor:
    return torch.fmod(node[0], node[1]) if node.attribute("fmod", 0) else torch.remainder(node[0], node[1])


def _where(node: Node) -> Tensor:
    return torch.where(node[0], node[1], node[2])


def _mean_of_many(node: Node) -> Tensor:
    total: Tensor = _many(torch.add)(node)
    return total / len(node.inputs)


def _lp_normalisation(node: Node) -> Tensor:
    return F.normalize(node[0], float(node.attribute("p", 2)), int(node.attribute("axis", -1)))


def _attributed(function: Callable[..., Tensor], *names: tuple[str, float]) -> Rule:
    return lambda node: function(node[0], *(float(node.attribute(name, default)) for name, default in names))


_ONE: Mapping[str, Callable[..., Tensor]] = {
    "Relu": F.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "HardSwish": F.hardswish, "Softplus": F.softplus,
    "Softsign": F.softsign, "Mish": F.mish, "Swish": F.silu, "Erf": torch.erf, "Exp": torch.exp, "Log": torch.log,
    "Sqrt": torch.sqrt, "Reciprocal": torch.reciprocal, "Neg": torch.neg, "Abs": torch.abs, "Floor": torch.floor,
    "Ceil": torch.ceil, "Round": torch.round, "Sign": torch.sign, "Sin": torch.sin, "Cos": torch.cos, "Tan": torch.tan,
    "Asin": torch.asin, "Acos": torch.acos, "Atan": torch.atan, "Sinh": torch.sinh, "Cosh": torch.cosh,
    "Not": torch.logical_not, "IsNaN": torch.isnan, "IsInf": torch.isinf,
    "Identity": lambda x: x, "Size": lambda x: torch.tensor(x.numel()),
}  # fmt: skip
_TWO: Mapping[str, Callable[..., Tensor]] = {
    "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "Pow": torch.pow, "MatMul": torch.matmul, "Equal": torch.eq,
    "Greater": torch.gt, "GreaterOrEqual": torch.ge, "Less": torch.lt, "LessOrEqual": torch.le,
    "And": torch.logical_and, "Or": torch.logical_or, "Xor": torch.logical_xor,
}  # fmt: skip
_REDUCED: Mapping[str, Callable[..., Tensor]] = {
    "ReduceMean": lambda x, axes, keep: x.mean(axes, keep),
    "ReduceSum": lambda x, axes, keep: x.sum(axes, keep),
    "ReduceMax": torch.amax,
    "ReduceMin": torch.amin,
    "ReduceProd": _product,
    "ReduceL1": _norm(1),
    "ReduceL2": _norm(2),
    "ReduceLogSumExp": torch.logsumexp,
    "ReduceSumSquare": lambda x, axes, keep: x.square().sum(axes, keep),
    "ReduceLogSum": lambda x, axes, keep: x.sum(axes, keep).log(),
}

RULES: Mapping[str, Rule] = {
    **{name: _one(function) for name, function in _ONE.items()},
    **{name: _two(function) for name, function in _TWO.items()},
    **{name: _reduce(function) for name, function in _REDUCED.items()},
    "Conv": windows.convolution,
    "ConvTranspose": windows.transposed,
    "MaxPool": windows.pool,
    "AveragePool": windows.pool,
    "GlobalAveragePool": windows.global_pool,
    "GlobalMaxPool": windows.global_pool,
    "Resize": windows.resize,
    "Upsample": windows.resize,
    "Pad": windows.pad,
    "DepthToSpace": windows.depth_to_space,
    "SpaceToDepth": windows.space_to_depth,
    "LRN": windows.local_response,
    "Einsum": windows.einsum,
    "Div": _divide,
    "Mod": _mod,
    "Max": _many(torch.maximum),
    "Min": _many(torch.minimum),
    "Sum": _many(torch.add),
    "Mean": _mean_of_many,
    "Gemm": _gemm,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm,
    "LayerNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "LpNormalization": _lp_normalisation,
    "LeakyRelu": _attributed(F.leaky_relu, ("alpha", 0.01)),
    "Elu": _attributed(F.elu, ("alpha", 1.0)),
    "Celu": _attributed(F.celu, ("alpha", 1.0)),
    "Selu": _one(F.selu),
    "ThresholdedRelu": _attributed(lambda x, alpha: F.threshold(x, alpha, 0.0), ("alpha", 1.0)),
    "PRelu": _prelu,
    "HardSigmoid": _hard_sigmoid,
    "Gelu": _gelu,
    "Clip": _clip,
    "Softmax": _softmax(torch.softmax),
    "LogSoftmax": _softmax(torch.log_softmax),
    "ArgMax": _arg(torch.argmax),
    "ArgMin": _arg(torch.argmin),
    "Shape": _shape,
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Expand": _expand,
    "Slice": _slice,
    "Split": _split,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_many,
    "ScatterND": _scatter_many,
    "ScatterElements": _scatter_elements,
    "NonZero": _nonzero,
    "GridSample": _grid_sample,
    "Concat": _concat,
    "Tile": _tile,
    "Cast": _cast,
    "CastLike": lambda node: node[0].to(node[1].dtype),
    "ConstantOfShape": _constant_of_shape,
    "Range": _range,
    "Trilu": _trilu,
    "TopK": _top_k,
    "CumSum": _cumsum,
    "Where": _where,
    "Dropout": _dropout,
}
