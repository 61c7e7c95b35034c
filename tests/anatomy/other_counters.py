"""Why other tools count other multiply-adds than fieldcraft, each reason as a number computed from the anatomy.

`theirs == ours + the sum of the reasons` must hold exactly, for every net.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Literal

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.operations import (
    AdaptivePool,
    Arithmetic,
    Attention,
    Convolution,
    Linear,
    MatMul,
    Normalisation,
    Recurrent,
    Reduce,
    Resize,
)

Tool = Literal["flop_counter", "fvcore", "torchinfo"]


@dataclass(frozen=True)
class Difference:
    tool: Tool
    because: str
    amount: Callable[[Anatomy, Row], int]
    """What the tool counts for a row beyond what fieldcraft counts."""


def explained(tool: Tool, anatomy: Anatomy) -> dict[str, int]:
    """The reasons that apply, with what they amount to."""
    sums = {
        one.because: sum(one.amount(anatomy, row) for row in anatomy.rows) for one in DIFFERENCES if one.tool == tool
    }
    return {because: amount for because, amount in sums.items() if amount}


def _ours(*kinds: type) -> Callable[[Anatomy, Row], int]:
    return lambda anatomy, row: -(row.cost.macs or 0) if isinstance(row.operation, kinds) else 0


def _read(anatomy: Anatomy, row: Row) -> int:
    return prod(anatomy.shape(row.inputs[0]))


def _made(anatomy: Anatomy, row: Row) -> int:
    return prod(anatomy.shape(row.outputs[0]))


def _norm(kind: str, times: int) -> Callable[[Anatomy, Row], int]:
    def amount(anatomy: Anatomy, row: Row) -> int:
        right = isinstance(row.operation, Normalisation) and row.operation.kind == kind
        return times * _read(anatomy, row) if right else 0

    return amount


def _pooled(anatomy: Anatomy, row: Row) -> int:
    """To one pixel it is a mean that keeps both dimensions, whichever way it was written."""
    it, rank = row.operation, len(anatomy.shape(row.outputs[0])) if row.outputs else 0
    mean = isinstance(it, Reduce) and it.name == "mean" and it.dims == (2, 3) and rank == 4
    sized = isinstance(it, AdaptivePool) and it.kind == "average" and len(it.size) == 2
    return _read(anatomy, row) if mean or sized else 0


def _fused_attention(anatomy: Anatomy, row: Row) -> int:
    return -(row.cost.macs or 0) if isinstance(row.operation, Attention) else 0


def _conv_bias(anatomy: Anatomy, row: Row) -> int:
    return _made(anatomy, row) if isinstance(row.operation, Convolution) and row.operation.bias else 0


def _transposed(anatomy: Anatomy, row: Row) -> int:
    """Weights by pixels out instead of pixels in."""
    it = row.operation
    if not (isinstance(it, Convolution) and it.transposed):
        return 0
    weights = prod(it.kernel) * it.inputs * it.outputs // it.groups
    before, after = anatomy.shape(row.inputs[0]), anatomy.shape(row.outputs[0])
    return weights * (prod(after[2:]) - prod(before[2:])) * before[0]


def _norm_parameters(anatomy: Anatomy, row: Row) -> int:
    return row.cost.parameters if isinstance(row.operation, Normalisation) else 0


def _linear_once(anatomy: Anatomy, row: Row) -> int:
    called = isinstance(row.operation, Linear) and row.kind == "Linear"
    return row.cost.parameters - (row.cost.macs or 0) if called else 0


def _linear_unseen(anatomy: Anatomy, row: Row) -> int:
    unseen = isinstance(row.operation, Linear) and row.kind != "Linear"
    return -(row.cost.macs or 0) if unseen else 0


def _recurrent_bias(anatomy: Anatomy, row: Row) -> int:
    if not isinstance(row.operation, Recurrent):
        return 0
    biases = sum(one.count for one in anatomy.parameters if one.name in row.parameters and "bias" in one.name)
    return biases * prod(anatomy.shape(row.inputs[0])[:-1])


DIFFERENCES = (
    Difference("flop_counter", "products of two activations (gates) are not counted", _ours(Arithmetic)),
    Difference("flop_counter", "interpolation is not counted", _ours(Resize)),
    Difference("flop_counter", "recurrent layers are not counted", _ours(Recurrent)),
    Difference("fvcore", "2 for each number that a batch norm reads", _norm("batch", 2)),
    Difference("fvcore", "5 for each number that a layer norm reads", _norm("layer", 5)),
    Difference("fvcore", "5 for each number that a group norm reads", _norm("group", 5)),
    Difference("fvcore", "1 for each number that an adaptive average pooling in 2-D reads", _pooled),
    Difference("fvcore", "scaled_dot_product_attention is not counted", _fused_attention),
    Difference("fvcore", "products of two activations (gates) are not counted", _ours(Arithmetic)),
    Difference("fvcore", "recurrent layers are not counted", _ours(Recurrent)),
    Difference("torchinfo", "1 for each bias of a convolution and pixel", _conv_bias),
    Difference("torchinfo", "transposed convolutions: weights by pixels out instead of pixels in", _transposed),
    Difference("torchinfo", "parameters of norms, once", _norm_parameters),
    Difference("torchinfo", "linear layers once a sample, not once a token, and their bias", _linear_once),
    Difference("torchinfo", "linear maps by function, or inside of an attention module, are not seen", _linear_unseen),
    Difference("torchinfo", "matrix products of activations are not seen", _ours(MatMul)),
    Difference("torchinfo", "scaled_dot_product_attention is not seen", _ours(Attention)),
    Difference("torchinfo", "products of two activations (gates) are not seen", _ours(Arithmetic)),
    Difference("torchinfo", "interpolation is not seen", _ours(Resize)),
    Difference("torchinfo", "biases of recurrent layers, once a step", _recurrent_bias),
)
