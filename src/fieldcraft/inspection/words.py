"""Operations, shapes and amounts in a few words."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, assert_never

from fieldcraft.records import operations as ops
from fieldcraft.records.anatomy import AxisField, Row

if TYPE_CHECKING:
    from fieldcraft.anatomy.effective import EffectiveField
    from fieldcraft.anatomy.measure import Measured


def in_words(operation: ops.Operation) -> str:
    """What an operation is, short enough for a cell: "conv 3x3 /2, 64 to 128"."""
    match operation:
        case ops.Convolution():
            return _convolution(operation)
        case ops.Pool():
            return f"{operation.kind} pool {sizes(operation.kernel)}{_stride(operation.stride)}"
        case ops.AdaptivePool():
            size = "global" if all(one == 1 for one in operation.size) else f"to {sizes(operation.size)}"
            return f"{operation.kind} pool {size}"
        case ops.Resize():
            return f"resize to {sizes(operation.after)}, {operation.mode}"
        case ops.Normalisation():
            groups = f", {operation.groups} groups" if operation.kind == "group" else ""
            return f"{operation.kind} norm{groups}"
        case ops.Activation() | ops.Arithmetic() | ops.Pointwise() | ops.Rearrange() | ops.Lookup() | ops.Create():
            return operation.name.strip("_").replace("_", " ")
        case ops.Softmax():
            return "log-softmax" if operation.log else "softmax"
        case ops.Linear():
            return f"linear {operation.inputs} to {operation.outputs}"
        case ops.MatMul():
            return f"matmul {operation.rows}x{operation.inner} by {operation.inner}x{operation.columns}"
        case ops.Attention():
            return f"attention, {operation.heads} heads of {operation.width}"
        case ops.Recurrent():
            both = "bidirectional " if operation.bidirectional else ""
            layers = f", {operation.layers} layers" if operation.layers > 1 else ""
            return f"{both}{operation.kind} {operation.inputs} to {operation.hidden}{layers}"
        case ops.Concatenate():
            return f"concatenate {operation.parts}"
        case ops.Pad():
            return f"pad {sizes(operation.before)} and {sizes(operation.after)}"
        case ops.Reduce():
            return operation.name.replace("_", " ")
        case ops.Regulariser():
            return f"{operation.kind} {operation.probability:g}" if operation.probability else operation.kind
        case ops.Unknown():
            return f"{operation.name} (unknown)"
        case _:
            assert_never(operation)


def _convolution(one: ops.Convolution) -> str:
    kind = ("depthwise " if one.depthwise else "") + ("up-conv" if one.transposed else "conv")
    groups = f", {one.groups} groups" if one.groups > 1 and not one.depthwise else ""
    dilation = "" if all(step == 1 for step in one.dilation) else f", dilation {window(one.dilation)}"
    return f"{kind} {sizes(one.kernel)}{_stride(one.stride)}{dilation}, {one.inputs} to {one.outputs}{groups}"


def _stride(stride: Sequence[int]) -> str:
    return "" if all(one == 1 for one in stride) else f" /{window(stride)}"


def sizes(shape: Sequence[int]) -> str:
    """64x112x112."""
    return "x".join(map(str, shape)) or "-"


def window(shape: Sequence[int]) -> str:
    """3x3 for a window, 2 where all of its axes are the same and more than one."""
    return str(shape[0]) if shape and len(set(shape)) == 1 else sizes(shape)


def amount(number: float | None) -> str:
    """Four characters and a prefix: 9.41k, 118M, 4.09G; an empty cell for nothing, a question mark for the unknown."""
    if number is None:
        return "?"
    if not number:
        return ""
    for limit, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= limit * 0.9995:
            return f"{number / limit:.3g}{prefix}" if number < limit * 999.5 else f"{number / limit:.0f}{prefix}"
    return f"{number:g}"


def memory(count: int) -> str:
    """Bytes: 44.1 MiB."""
    value = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.3g} {unit}" if value < 999.5 else f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.3g} TiB"


def field_in_words(row: Row) -> str:
    """The local field, and the full one where it differs: "35", "35/224", "7x5", "all", "~91" for a bound."""
    if not row.fields or not row.fields[0].axes:
        return ""
    axes = row.fields[0].axes
    return _joined([_axis(one) for one in axes])


def _axis(one: AxisField) -> str:
    local = "all" if one.everywhere else f"{'' if one.exact else '~'}{one.size}"
    return local if one.everywhere or one.full == one.size else f"{local}/{one.full}"


def stride_in_words(row: Row) -> str:
    """Pixels between neighbouring units."""
    if not row.fields or not row.fields[0].axes:
        return ""
    return _joined([_number(one.stride) for one in row.fields[0].axes])


def _number(value: Fraction | None) -> str:
    return "-" if value is None else str(value)


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(set(parts)) == 1 else "x".join(parts)


def effective_in_words(one: "EffectiveField") -> str:
    """Width and share of what really reaches a layer."""
    widths = " by ".join(f"{width:.3g}" for width in one.width_px)
    field = " by ".join(str(size) for size in one.theoretical_px)
    made_up = "; weights were made up" if one.made_up else ""
    return (
        f"Effective field of {one.path or 'the output'}: a Gaussian of deviation {widths} px; two deviations to each "
        f"side are {one.share:.0%} of the {field} px that its theoretical field has inside of the input "
        f"({one.samples} inputs{made_up})"
    )


def measured_in_words(one: "Measured") -> str:
    """Latency with its spread, and memory."""
    low, high = (1000 * value for value in one.spread_s)
    spread = f"quartiles {low:.3g} to {high:.3g} ms, {one.passes} passes"
    where = f"batch {one.batch}, {one.device}, {one.threads} thread{'s' if one.threads != 1 else ''}"
    made_up = "; weights were made up" if one.made_up else ""
    return f"Measured: {1000 * one.latency_s:.3g} ms a pass ({spread}, {where}), peak {memory(one.peak_bytes)}{made_up}"
