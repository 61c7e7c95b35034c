"""What one operation of a network is: a closed set of typed values, whoever the network comes from.

Lengths along axes are tuples, one entry an axis of the window, in the order of the tensor's dimensions.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """A convolution or, with `transposed`, its transpose, over any number of axes."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    """Zeros added before and after, per axis."""
    dilation: tuple[int, ...]
    groups: int
    inputs: int
    """Channels in."""
    outputs: int
    """Channels out."""
    bias: bool
    transposed: bool = False
    output_padding: tuple[int, ...] = ()

    @property
    def depthwise(self) -> bool:
        """Every channel has filters of its own."""
        return self.groups > 1 and self.groups == self.inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The maximum or the average of a window."""

    kind: Literal["max", "average"]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    ceil: bool = False
    """The last, incomplete window counts as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptivePool:
    """Pooling to a map of a given size; 1 along every axis is global pooling."""

    kind: Literal["max", "average"]
    size: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """Interpolation to another size."""

    mode: Literal["nearest", "nearest-exact", "linear", "cubic", "area"]
    align_corners: bool
    before: tuple[int, ...]
    after: tuple[int, ...]
    antialias: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """Numbers brought to mean zero and variance one (or to length one), over whatever `kind` says."""

    kind: Literal["batch", "instance", "group", "layer", "rms", "local-response"]
    channels: int
    groups: int = 1
    batch_statistics: bool = False
    """Batch norm that uses the statistics of the batch also in evaluation (no running ones)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A non-linear function of single numbers."""

    name: str
    """relu, gelu, silu, sigmoid, tanh, hardswish, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax:
    """Softmax or log-softmax along one dimension."""

    dim: int
    log: bool = False
    masked: bool = False
    """Something was filled in or added by hand that may hide pairs; fields are bounds where its numbers are unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """A matrix product with a parameter."""

    inputs: int
    outputs: int
    bias: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MatMul:
    """A matrix product of two activations: (batch, rows, inner) by (batch, inner, columns)."""

    batch: int
    rows: int
    inner: int
    columns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """Fused scaled dot-product attention."""

    heads: int
    queries: int
    keys: int
    width: int
    """Of one head."""
    causal: bool = False
    """Each query looks at the keys up to its own place; multiply-adds count all pairs all the same."""
    masked: bool = False
    """A mask may hide pairs. It is not looked at: fields are bounds, and multiply-adds count all pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrent:
    """LSTM, GRU or plain recurrent layers over a whole sequence."""

    kind: Literal["lstm", "gru", "rnn"]
    inputs: int
    hidden: int
    layers: int
    bidirectional: bool
    steps: int
    projection: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """Two (or three) tensors combined element by element: add, sub, mul, div, where, ..."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointwise:
    """A function of single numbers that is no activation: scaling, rounding, casting, clamping, ..."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Concatenate:
    """Tensors put side by side along one dimension, or stacked along a new one."""

    dim: int
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pad:
    """Values added around: per padded axis, before and after."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    mode: Literal["constant", "reflect", "replicate", "circular"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduce:
    """Sum, mean, maximum, norm, ... over whole dimensions."""

    name: str
    dims: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rearrange:
    """The same numbers in another order or shape, or some of them: view, permute, slice, roll, flip, gather, ..."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Rows of a table chosen by whole numbers: embedding, index, gather."""

    name: str
    table: int
    """Rows of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Regulariser:
    """Something that works in training only and passes everything on in evaluation: dropout, drop-path, identity."""

    kind: Literal["dropout", "drop-path", "identity"]
    probability: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Numbers that come from nowhere: zeros, arange, random."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """An operation that fieldcraft has no rule for; what follows from it is a bound, not exact."""

    name: str


Operation = (
    Convolution
    | Pool
    | AdaptivePool
    | Resize
    | Normalisation
    | Activation
    | Softmax
    | Linear
    | MatMul
    | Attention
    | Recurrent
    | Arithmetic
    | Pointwise
    | Concatenate
    | Pad
    | Reduce
    | Rearrange
    | Lookup
    | Regulariser
    | Create
    | Unknown
)
