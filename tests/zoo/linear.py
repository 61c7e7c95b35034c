"""Run any net as a positive linear map: what each function is replaced by while the oracle measures gradients.

`Linearised` is a TorchFunctionMode: it sees each torch function that a `forward` calls, functional, method, operator or
in-place. Python functions of torch (F.normalize, F.multi_head_attention_forward) are run with the mode still on, so
that what they call is replaced as well. A replacement depends on the same inputs as the original, with positive
weights; so nothing cancels and nothing saturates.
"""

import types
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from tests.zoo.call import Args, Call, Handler, Kwargs
from tests.zoo.pointwise import (
    addition,
    average,
    bilinear,
    cast,
    embedding,
    extremum,
    group_mean,
    halves,
    identity,
    instance_mean,
    layer_mean,
    norm,
    plus_product,
    product,
    quotient,
    softmax,
    total,
)
from tests.zoo.sequential import attention, cell, recurrent, unsupported
from tests.zoo.windowed import adaptive_max_pool, convolution, interpolate, max_pool
from torch.overrides import TorchFunctionMode


def named(handler: Handler, names: str) -> Iterable[tuple[str, Handler]]:
    return ((name, handler) for name in names.split())


TABLE: dict[str, Handler] = dict(
    (
        *named(identity, "relu relu6 gelu silu mish hardswish hardsigmoid hardtanh sigmoid tanh elu selu celu"),
        *named(identity, "leaky_relu prelu rrelu softplus softsign logsigmoid log_sigmoid threshold tanhshrink"),
        *named(identity, "softshrink hardshrink dropout dropout1d dropout2d dropout3d alpha_dropout"),
        *named(identity, "feature_alpha_dropout feature_dropout abs absolute neg negative exp exp2 expm1 log log1p"),
        *named(identity, "log2 log10 sqrt rsqrt square reciprocal sin cos tan erf erfc atan sign clamp clamp_min"),
        *named(identity, "clamp_max clip round floor ceil trunc logit nan_to_num batch_norm expit"),
        *named(total, "sub subtract rsub maximum minimum fmax fmin pow rpow float_power hypot atan2 remainder"),
        *named(addition, "add radd"),
        *named(product, "mul multiply rmul"),
        *named(quotient, "div divide true_divide truediv rdiv rtruediv"),
        *named(plus_product, "addcmul addcdiv"),
        *named(halves, "glu"),
        *named(identity, "float double half bfloat16"),
        *named(cast, "to type"),
        *named(embedding, "embedding"),
        *named(bilinear, "matmul rmatmul bmm mm mv dot inner outer einsum tensordot baddbmm addmm addbmm kron"),
        *named(bilinear, "linear bilinear conv_transpose1d conv_transpose2d conv_transpose3d"),
        *((f"conv{axes}d", convolution(axes)) for axes in (1, 2, 3)),
        *named(average(1), "amax amin logsumexp prod var std var_mean std_mean aminmax"),
        *named(average(2), "norm vector_norm linalg_vector_norm linalg_norm"),
        *named(extremum, "max min"),
        *named(softmax, "softmax log_softmax softmin gumbel_softmax"),
        *named(norm(layer_mean), "layer_norm rms_norm"),
        *named(norm(group_mean), "group_norm"),
        *named(norm(instance_mean), "instance_norm"),
        *((f"max_pool{axes}d{end}", max_pool(axes)) for axes in (1, 2, 3) for end in ("", "_with_indices")),
        *((f"adaptive_max_pool{n}d{end}", adaptive_max_pool(n)) for n in (1, 2, 3) for end in ("", "_with_indices")),
        *named(interpolate, "interpolate"),
        *named(attention, "scaled_dot_product_attention"),
        *named(recurrent, "lstm gru rnn_tanh rnn_relu"),
        *named(cell, "lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell"),
        *named(unsupported, "max_unpool1d max_unpool2d max_unpool3d fractional_max_pool2d fractional_max_pool3d"),
        *named(unsupported, "topk sort kthvalue median cumprod cummax fft rfft fft2 rfft2 fftn rfftn"),
    )
)


@cache
def unguarded(function: types.FunctionType) -> types.FunctionType:
    """A copy of one of torch's own functions that does not ask whether it is overridden."""
    no = {name: lambda *_: False for name in function.__globals__ if name.startswith("has_torch_function")}
    scope = {**function.__globals__, **no}
    copy = types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__, function.__closure__)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


class Linearised(TorchFunctionMode):
    """Within it, torch functions are their positive linear stand-ins."""

    def __init__(self, *, local: bool) -> None:
        super().__init__()
        self.local = local
        self.running: set[Callable[..., Any]] = set()

    def __torch_function__(
        self, func: Callable[..., Any], types_: Iterable[type], args: Args = (), kwargs: Kwargs | None = None
    ) -> Any:
        call = Call(func, args, kwargs or {}, local=self.local)
        handler = TABLE.get(call.name)
        if handler is not None:
            return handler(call)
        if not isinstance(func, types.FunctionType) or func in self.running:  # Tensor.unflatten calls its own name
            return call.original()
        self.running.add(func)
        try:
            with self:
                return unguarded(func)(*call.args, **call.kwargs)
        finally:
            self.running.discard(func)
