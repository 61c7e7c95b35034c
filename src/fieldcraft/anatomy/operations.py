"""What an event is: from ATen's names and arguments to the closed set of operations.

`RULES` maps the name of an ATen packet to the function that reads its arguments. Adding an operation is one line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from fieldcraft.anatomy.capture import OVERLAY, RECURRENT, REGULARISER, Capture, Event, Ref
from fieldcraft.records.operations import (
    Activation,
    AdaptivePool,
    Arithmetic,
    Attention,
    Concatenate,
    Convolution,
    Create,
    Linear,
    Lookup,
    MatMul,
    Normalisation,
    Operation,
    Pad,
    Pointwise,
    Pool,
    Rearrange,
    Recurrent,
    Reduce,
    Regulariser,
    Resize,
    Softmax,
    Unknown,
)


@dataclass(frozen=True, slots=True)
class Call:
    """An event with its arguments by name, and the shapes of its tensors."""

    event: Event
    capture: Capture
    given: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.given.get(name)

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a tensor argument."""
        ref = self.given[name]
        assert isinstance(ref, Ref), f"{self.event.name}: {name} is no tensor"
        return self.capture.values[ref.value].shape

    @property
    def result(self) -> tuple[int, ...]:
        """Shape of the first output."""
        return self.capture.values[self.event.outputs[0]].shape if self.event.outputs else ()

    def is_static(self, name: str) -> bool:
        """The argument does not depend on any input."""
        ref = self.given.get(name)
        return isinstance(ref, Ref) and ref.value in self.capture.static

    def dims(self, name: str, of: str = "self") -> tuple[int, ...]:
        """Dimensions, counted from the front; all of them where none is named."""
        rank = len(self.shape(of))
        given = self.given.get(name)
        listed = range(rank) if given is None or given == () else (given,) if isinstance(given, int) else given
        return tuple(sorted(dim % rank for dim in listed)) if rank else ()


Rule = Callable[[Call], Operation]


def arguments(event: Event) -> dict[str, Any]:
    """Arguments by the names of the operation's schema."""
    if not hasattr(event.function, "_schema"):
        return dict(event.kwargs)
    names = [argument.name for argument in event.function._schema.arguments]
    return {**dict(zip(names, event.args, strict=False)), **event.kwargs}


def operation_of(event: Event, capture: Capture) -> Operation:
    """What the event is; Unknown where there is no rule for it."""
    if event.function == RECURRENT:
        return _recurrent(event, capture)
    if event.function == REGULARISER:
        return _regulariser(event)
    if event.function == OVERLAY:
        return Arithmetic(name="written-through-a-view")
    call = Call(event, capture, arguments(event))
    packet = event.packet
    rule = RULES.get(packet) or RULES.get(packet.rstrip("_"))
    if rule is not None:
        return rule(call)
    if not any(True for _ in event.refs()):
        return Create(name=packet)
    return Unknown(name=event.name)


def _recurrent(event: Event, capture: Capture) -> Recurrent:
    layer = event.layer
    assert isinstance(layer, nn.RNNBase)
    shape = capture.values[next(event.refs())].shape
    steps = shape[1] if layer.batch_first and len(shape) == 3 else shape[0]
    kinds = {"LSTM": "lstm", "GRU": "gru"}
    return Recurrent(
        kind=kinds.get(layer.mode, "rnn"),  # type: ignore[arg-type]
        inputs=layer.input_size,
        hidden=layer.hidden_size,
        layers=layer.num_layers,
        bidirectional=layer.bidirectional,
        steps=steps,
        projection=layer.proj_size,
    )


def _regulariser(event: Event) -> Regulariser:
    layer, name = event.layer, event.kind.lower()
    probability = next(
        (
            value
            for key in ("p", "drop_prob", "drop_rate")
            if isinstance(value := getattr(layer, key, None), int | float)
        ),
        0.0,
    )
    if "path" in name or "stochasticdepth" in name or "droplayer" in name:
        return Regulariser(kind="drop-path", probability=float(probability))
    if "drop" in name:
        return Regulariser(kind="dropout", probability=float(probability))
    return Regulariser(kind="identity")


def _spread(given: Any, axes: int, default: int) -> tuple[int, ...]:
    """A setting for each axis; ATen lets one stand for all, and an empty list for the default."""
    if given is None or given == ():
        return (default,) * axes
    listed = (given,) if isinstance(given, int) else tuple(given)
    return listed * axes if len(listed) == 1 else listed


def _convolution(call: Call) -> Operation:
    weight = call.shape("weight")
    axes = len(weight) - 2
    transposed, groups = bool(call["transposed"]), int(call["groups"] or 1)
    outputs = weight[1] * groups if transposed else weight[0]
    return Convolution(
        kernel=weight[2:],
        stride=_spread(call["stride"], axes, 1),
        padding=_spread(call["padding"], axes, 0),
        dilation=_spread(call["dilation"], axes, 1),
        groups=groups,
        inputs=weight[0] if transposed else weight[1] * groups,
        outputs=outputs,
        bias=isinstance(call["bias"], Ref),
        transposed=transposed,
        output_padding=_spread(call["output_padding"], axes, 0) if transposed else (),
    )


def _pool(kind: str) -> Rule:
    def read(call: Call) -> Operation:
        axes = int(call.event.packet.split("pool")[1][0])
        kernel = _spread(call["kernel_size"], axes, 1)
        return Pool(
            kind=kind,  # type: ignore[arg-type]
            kernel=kernel,
            stride=_spread(call["stride"], axes, 1) if call["stride"] not in (None, ()) else kernel,
            padding=_spread(call["padding"], axes, 0),
            dilation=_spread(call["dilation"], axes, 1),
            ceil=bool(call["ceil_mode"]),
        )

    return read


def _adaptive(kind: str) -> Rule:
    def read(call: Call) -> Operation:
        axes = int(call.event.packet.split("pool")[1][0])
        return AdaptivePool(kind=kind, size=call.result[-axes:])  # type: ignore[arg-type]

    return read


def _resize(mode: str) -> Rule:
    def read(call: Call) -> Operation:
        axes = len(call.result) - 2
        return Resize(
            mode=mode,  # type: ignore[arg-type]
            align_corners=bool(call["align_corners"]),
            before=call.shape("self" if "self" in call.given else "input")[-axes:],
            after=call.result[-axes:],
            antialias="aa" in call.event.packet.split("_"),
        )

    return read


def _batch_norm(call: Call) -> Operation:
    of = "input" if "input" in call.given else "self"
    return Normalisation(
        kind="batch",
        channels=call.shape(of)[1] if len(call.shape(of)) > 1 else 1,
        batch_statistics=bool(call["training"]) or call["running_mean"] is None,
    )


def _group_norm(call: Call) -> Operation:
    channels = int(call["C"])
    groups = int(call["group"])
    return Normalisation(kind="instance" if groups == channels else "group", channels=channels, groups=groups)


def _layer_norm(call: Call) -> Operation:
    return Normalisation(kind="layer", channels=tuple(call["normalized_shape"])[-1])


def _rms_norm(call: Call) -> Operation:
    return Normalisation(kind="rms", channels=tuple(call["normalized_shape"])[-1])


def _activation(name: str) -> Rule:
    return lambda call: Activation(name=name)


def _softmax(log: bool) -> Rule:
    def read(call: Call) -> Operation:
        return Softmax(
            dim=int(call["dim"]) % max(1, len(call.result)), log=log, masked=_may_hide(call["self"], call.capture)
        )

    return read


def _hides(mask: Ref, capture: Capture) -> bool:
    """A mask of an attention that is one call: answers, and what an input decides about, may hide anything."""
    seen = capture.values[mask.value]
    return not seen.tensor.is_floating_point() or _may_hide(mask, capture, given=True)


def _may_hide(scores: Ref, capture: Capture, *, given: bool = False) -> bool:
    """Numbers that nobody learns were filled in, or added, on the way from the products to the softmax.

    Of masks only that much is known without numbers; biases that are made of parameters hide nothing.
    """
    open_, seen = [scores.value], set()
    while open_:
        value = open_.pop()
        if value in seen:
            continue
        seen.add(value)
        event = capture.maker(value)
        packet = event.packet.rstrip("_") if event is not None else ""
        if event is not None and packet in HIDING:
            return True
        if event is not None and packet in TRANSPARENT:
            open_ += event.refs()
        elif (value in capture.static and _is_made_up(value, capture)) or (given and _is_given(value, capture)):
            return True
    return False


def _is_given(value: int, capture: Capture) -> bool:
    return capture.values[value].origin == "input"


def _is_made_up(value: int, capture: Capture) -> bool:
    """Several numbers that no parameter went into."""
    tensor = capture.values[value].tensor
    learned = {one.name for one in capture.values if one.origin == "parameter"}
    return tensor.is_floating_point() and tensor.numel() > 1 and not learned & capture.parents.get(value, frozenset())


def _product(left: str, right: str, bias: str | None) -> Rule:
    """A matrix product is a linear layer when one side is a parameter."""

    def read(call: Call) -> Operation:
        first, second = call.shape(left), call.shape(right)
        if call.is_static(right) and len(second) >= 2:
            return Linear(inputs=second[-2], outputs=second[-1], bias=_has_bias(call, bias))
        if call.is_static(left) and len(first) >= 2:
            return Linear(inputs=first[-1], outputs=first[-2], bias=_has_bias(call, bias))
        return MatMul(
            batch=first[0] if len(first) == 3 else 1,
            rows=first[-2] if len(first) > 1 else 1,
            inner=first[-1] if first else 1,
            columns=second[-1] if len(second) > 1 else 1,
        )

    return read


def _has_bias(call: Call, bias: str | None) -> bool:
    return bias is not None and call.is_static(bias)


def _attention(call: Call) -> Operation:
    query, key = call.shape("query"), call.shape("key")
    mask = call["attn_mask"] if "attn_mask" in call.given else call["attn_bias"]
    return Attention(
        heads=query[-3] if len(query) > 3 else 1,
        queries=query[-2],
        keys=key[-2],
        width=query[-1],
        causal=bool(call["is_causal"]),
        masked=isinstance(mask, Ref) and _hides(mask, call.capture),
    )


def _arithmetic(name: str) -> Rule:
    """Two tensors make arithmetic; a tensor and a number, or a parameter, only scale."""

    def read(call: Call) -> Operation:
        tensors = [one for one in call.event.refs() if one not in call.capture.static]
        return Arithmetic(name=name) if len(tensors) > 1 else Pointwise(name=name)

    return read


def _pointwise(name: str) -> Rule:
    return lambda call: Pointwise(name=name)


def _concatenate(call: Call) -> Operation:
    return Concatenate(dim=int(call["dim"] or 0) % max(1, len(call.result)), parts=len(call["tensors"]))


def _pad(mode: str) -> Rule:
    def read(call: Call) -> Operation:
        flat = tuple(call["pad"] if call["pad"] is not None else call["padding"])
        pairs = [flat[at : at + 2] for at in range(0, len(flat), 2)][::-1]
        return Pad(before=tuple(p[0] for p in pairs), after=tuple(p[1] for p in pairs), mode=mode)  # type: ignore[arg-type]

    return read


def _reduce(name: str) -> Rule:
    def read(call: Call) -> Operation:
        of = "self" if "self" in call.given else "x"
        return Reduce(name=name, dims=call.dims("dim", of))

    return read


def _rearrange(name: str) -> Rule:
    return lambda call: Rearrange(name=name)


def _lookup(table: str) -> Rule:
    def read(call: Call) -> Operation:
        if table != "weight" and not call.is_static(table):
            return Rearrange(name=call.event.packet)
        return Lookup(name=call.event.packet, table=(call.shape(table) or (1,))[0])

    return read


_ACTIVATIONS = (
    "relu relu6 gelu silu sigmoid tanh hardtanh hardswish hardsigmoid leaky_relu elu celu selu softplus mish "
    "log_sigmoid prelu _prelu_kernel rrelu rrelu_with_noise threshold softshrink hardshrink glu "
    "log_sigmoid_forward softsign"
).split()
_ARITHMETIC = (
    "add sub rsub mul div maximum minimum where pow atan2 fmod remainder addcmul addcdiv lerp eq ne lt le gt ge "
    "logical_and logical_or logical_xor bitwise_and bitwise_or bitwise_xor floor_divide true_divide xlogy hypot "
    "copysign masked_fill masked_scatter copy isclose complex polar logaddexp fmax fmin"
).split()
_POINTWISE = (
    "neg exp expm1 log log2 log10 log1p sqrt rsqrt square abs sin cos tan asin acos atan sinh cosh erf erfc "
    "reciprocal sign floor ceil round trunc frac clamp clamp_min clamp_max _to_copy to clone contiguous detach "
    "alias lift_fresh logical_not bitwise_not isnan isinf isfinite nan_to_num sgn real imag conj _conj "
    "view_as_real view_as_complex _conj_physical angle lift fill zero bernoulli native_dropout dropout "
    "fake_quantize_per_tensor_affine _neg_view resolve_conj resolve_neg erfinv deg2rad sinc pow_ exp2 logit "
    "special_expit polygamma lgamma digamma normal uniform random exponential ones_like zeros_like empty_like "
    "full_like rand_like randn_like new_zeros new_ones new_empty new_full randint_like _local_scalar_dense "
    "_weight_norm_interface"
).split()
_REARRANGED = (
    "view _unsafe_view reshape permute transpose t unsqueeze squeeze expand slice select split split_with_sizes "
    "chunk unsafe_split unsafe_chunk unsafe_split_with_sizes unbind flip roll narrow repeat pixel_shuffle "
    "pixel_unshuffle im2col col2im unfold as_strided diagonal tril triu repeat_interleave channel_shuffle movedim "
    "swapaxes view_copy _reshape_alias slice_scatter select_scatter unfold_copy channel_shuffle "
    "native_channel_shuffle tile squeeze_copy _reshape_copy scatter index_put scatter_add scatter_reduce "
    "index_add index_copy diag diag_embed diagonal_copy triu_indices _unsafe_index_put constant_chunk sort topk "
    "nonzero"
).split()
_REDUCED = (
    "mean sum amax amin max min std var var_mean std_mean prod norm linalg_vector_norm logsumexp argmax argmin "
    "any all cumsum cumprod median logcumsumexp _linalg_check_errors cummax cummin nanmean mode kthvalue "
    "count_nonzero aminmax numel dist vdot"
).split()

HIDING = ("masked_fill", "where", "masked_scatter")
TRANSPARENT = frozenset(
    "add sub rsub mul div maximum minimum clamp clamp_min _to_copy clone contiguous detach alias view _unsafe_view "
    "reshape permute transpose unsqueeze squeeze expand slice select to copy fill".split()
)
"""What leaves a mask a mask."""

RULES: Mapping[str, Rule] = {
    "convolution": _convolution,
    "_convolution": _convolution,
    "convolution_overrideable": _convolution,
    "conv2d": _convolution,
    **{f"max_pool{axes}d_with_indices": _pool("max") for axes in (1, 2, 3)},
    **{f"max_pool{axes}d": _pool("max") for axes in (1, 2, 3)},
    **{f"avg_pool{axes}d": _pool("average") for axes in (1, 2, 3)},
    **{f"adaptive_max_pool{axes}d": _adaptive("max") for axes in (1, 2, 3)},
    **{f"adaptive_avg_pool{axes}d": _adaptive("average") for axes in (1, 2, 3)},
    **{f"_adaptive_avg_pool{axes}d": _adaptive("average") for axes in (2, 3)},
    **{f"upsample_nearest{axes}d": _resize("nearest") for axes in (1, 2, 3)},
    **{f"_upsample_nearest_exact{axes}d": _resize("nearest-exact") for axes in (1, 2, 3)},
    "upsample_linear1d": _resize("linear"),
    "upsample_bilinear2d": _resize("linear"),
    "upsample_trilinear3d": _resize("linear"),
    "upsample_bicubic2d": _resize("cubic"),
    "_upsample_bilinear2d_aa": _resize("linear"),
    "_upsample_bicubic2d_aa": _resize("cubic"),
    "native_batch_norm": _batch_norm,
    "_native_batch_norm_legit": _batch_norm,
    "_native_batch_norm_legit_functional": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "_batch_norm_no_update": _batch_norm,
    "_batch_norm_with_update": _batch_norm,
    "cudnn_batch_norm": _batch_norm,
    "native_group_norm": _group_norm,
    "native_layer_norm": _layer_norm,
    "_fused_rms_norm": _rms_norm,
    "rms_norm": _rms_norm,
    "_softmax": _softmax(False),
    "softmax": _softmax(False),
    "_safe_softmax": _softmax(False),
    "_log_softmax": _softmax(True),
    "mm": _product("self", "mat2", None),
    "addmm": _product("mat1", "mat2", "self"),
    "bmm": _product("self", "mat2", None),
    "baddbmm": _product("batch1", "batch2", "self"),
    "mv": _product("self", "vec", None),
    "addmv": _product("mat", "vec", "self"),
    "dot": _product("self", "tensor", None),
    "linear": _product("input", "weight", "bias"),
    "scaled_dot_product_attention": _attention,
    "_scaled_dot_product_flash_attention": _attention,
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "_scaled_dot_product_efficient_attention": _attention,
    "_scaled_dot_product_cudnn_attention": _attention,
    "_scaled_dot_product_attention_math": _attention,
    "_scaled_dot_product_fused_attention_overrideable": _attention,
    "cat": _concatenate,
    "stack": _concatenate,
    "constant_pad_nd": _pad("constant"),
    "embedding": _lookup("weight"),
    "index": _lookup("self"),
    "index_select": _lookup("self"),
    "gather": _lookup("self"),
    "take": _lookup("self"),
    "_unsafe_index": _lookup("self"),
    **{name: _lookup("weight") for name in ("embedding_bag", "_embedding_bag", "_embedding_bag_forward_only")},
    **{f"reflection_pad{axes}d": _pad("reflect") for axes in (1, 2, 3)},
    **{f"replication_pad{axes}d": _pad("replicate") for axes in (1, 2, 3)},
    **{name: _reduce(name) for name in _REDUCED},
    **{name: _rearrange(name) for name in _REARRANGED},
    **{name: _pointwise(name) for name in _POINTWISE},
    **{name: _arithmetic(name) for name in _ARITHMETIC},
    **{name: _activation(name.removeprefix("_").removesuffix("_kernel")) for name in _ACTIVATIONS},
}
