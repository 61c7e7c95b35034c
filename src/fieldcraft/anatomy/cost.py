"""What operations cost: multiply-adds by a plain table from the type of an operation to a function.

One multiply-add is one product that is added to something. Counted: convolutions, linear layers, matrix products, fused
attention, recurrent layers, interpolation by weights, and products of two activations (gates, and the steps of scans
written out, which are nothing but a * h + b). Nothing (0): activations, softmax, norms, pooling, sums, scaling by
parameters and constants, bias, and whatever only moves numbers. Norms and pooling count nothing so that the totals are
the published ones (4.09 G for ResNet-50, which stands for convolutions and linear layers alone). Operations without a
rule are None, and an anatomy lists them.
"""

from collections.abc import Callable, Mapping
from math import ceil, prod
from typing import Any

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
)

Shapes = tuple[tuple[int, ...], ...]
PRODUCTS = ("mul", "addcmul", "lerp")
"""Arithmetic that multiplies two activations."""
TAPS = {"nearest": 0, "nearest-exact": 0, "area": 0, "linear": 2, "cubic": 4}
"""Weights of an interpolation along one axis; nearest and area weigh nothing."""
GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def macs(operation: Operation, inputs: Shapes, outputs: Shapes) -> int | None:
    """Multiply-adds, from the shapes of all tensors that it reads and writes; None where there is no rule."""
    rule = RULES.get(type(operation))
    return None if rule is None else rule(operation, inputs, outputs)


def _convolution(it: Convolution, inputs: Shapes, outputs: Shapes) -> int:
    """Every number out meets a window; of a transposed one, every number in."""
    if it.transposed:
        return prod(inputs[0]) * prod(it.kernel) * (it.outputs // it.groups)
    return prod(outputs[0]) * prod(it.kernel) * (it.inputs // it.groups)


def _linear(it: Linear, inputs: Shapes, outputs: Shapes) -> int:
    return prod(outputs[0]) * it.inputs


def _matmul(it: MatMul, inputs: Shapes, outputs: Shapes) -> int:
    return it.batch * it.rows * it.inner * it.columns


def _attention(it: Attention, inputs: Shapes, outputs: Shapes) -> int:
    """Queries by keys, then weights by values, whose width is that of what comes out."""
    pairs = prod(inputs[0][:-1]) * it.keys
    return pairs * (it.width + outputs[0][-1])


def _recurrent(it: Recurrent, inputs: Shapes, outputs: Shapes) -> int:
    """Both matrices of every gate (and the projection) at every step; gates times states are left out."""
    directions = 2 if it.bidirectional else 1
    state = it.projection or it.hidden
    per_step = 0
    for layer in range(it.layers):
        width = it.inputs if layer == 0 else state * directions
        per_step += directions * (GATES[it.kind] * it.hidden * (width + state) + it.hidden * it.projection)
    samples = prod(inputs[0][:-1])  # steps times batch, in either order, or packed
    return samples * per_step


def _resize(it: Resize, inputs: Shapes, outputs: Shapes) -> int:
    """A weighted sum over the neighbours: 2 or 4 per axis, all combined; antialiased, one axis after the other."""
    taps = TAPS[it.mode]
    if not it.antialias:
        return prod(outputs[0]) * taps ** len(it.after) if taps else 0
    total, rest = 0, list(inputs[0])
    for axis in reversed(range(len(it.after))):
        place = len(rest) - len(it.after) + axis
        rest[place] = it.after[axis]
        total += prod(rest) * ceil(taps * max(1.0, it.before[axis] / it.after[axis]))
    return total


def _arithmetic(it: Arithmetic, inputs: Shapes, outputs: Shapes) -> int:
    return prod(outputs[0]) if it.name in PRODUCTS and outputs else 0


def _nothing(it: object, inputs: Shapes, outputs: Shapes) -> int:
    return 0


FREE = (
    *(Activation, AdaptivePool, Concatenate, Create, Lookup, Normalisation, Pad, Pointwise),
    *(Pool, Rearrange, Reduce, Regulariser, Softmax),
)
RULES: Mapping[type, Callable[[Any, Shapes, Shapes], int]] = {
    Convolution: _convolution,
    Linear: _linear,
    MatMul: _matmul,
    Attention: _attention,
    Recurrent: _recurrent,
    Resize: _resize,
    Arithmetic: _arithmetic,
    **dict.fromkeys(FREE, _nothing),
}
