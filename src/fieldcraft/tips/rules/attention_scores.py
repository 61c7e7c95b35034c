"""Where a network attends: its score matrices."""

from collections.abc import Iterator
from dataclasses import dataclass

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.operations import Arithmetic, Attention, MatMul, Pointwise, Rearrange, Softmax
from fieldcraft.tips.rules.graph import passes_on

FUSED = ("scaled_dot_product_attention", "MultiheadAttention")
FAR = 16
"""Rows between the product and its softmax, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """One score matrix for each head (and window)."""

    row: Row
    """The softmax, or the fused attention."""
    between: tuple[Row, ...]
    """From the product to the softmax, both left out."""
    product: Row
    queries: int
    keys: int
    bytes: int
    fused: bool
    """Made by a call that need not write them to memory."""


def scores(anatomy: Anatomy) -> Iterator[Scores]:
    """All of them, in order."""
    for row in anatomy.rows:
        match row.operation:
            case Attention(heads=heads, queries=queries, keys=keys):
                size = heads * queries * keys * 4
                yield Scores(row=row, between=(), product=row, queries=queries, keys=keys, bytes=size, fused=True)
            case Softmax():
                found = _product(anatomy, row)
                if found is not None and _is_used(anatomy, row):
                    yield _of(anatomy, row, *found)


def _of(anatomy: Anatomy, row: Row, product: Row, between: tuple[Row, ...]) -> Scores:
    made, matmul = anatomy.values[product.outputs[0]], product.operation
    assert isinstance(matmul, MatMul)
    width = {"float64": 8, "float16": 2, "bfloat16": 2}.get(made.dtype, 4)
    text = row.location.text if row.location else ""
    return Scores(
        row=row,
        between=between,
        product=product,
        queries=matmul.rows,
        keys=matmul.columns,
        bytes=matmul.batch * matmul.rows * matmul.columns * width,
        fused=row.kind in FUSED or any(word in text for word in FUSED),
    )


def _product(anatomy: Anatomy, row: Row) -> tuple[Row, tuple[Row, ...]] | None:
    """The product of two activations that a softmax is taken of."""
    between: list[Row] = []
    while len(between) < FAR and row.inputs:
        makers = [anatomy.maker[value] for value in row.inputs if value in anatomy.maker]
        products = [one for one in makers if isinstance(one.operation, MatMul)]
        if products:
            return products[0], tuple(between)
        ways = [one for one in makers if isinstance(one.operation, Pointwise | Rearrange | Arithmetic)]
        if not ways:
            return None
        row = ways[0]
        between.append(row)
    return None


def _is_used(anatomy: Anatomy, row: Row) -> bool:
    """A second product follows: the values are weighted by the scores."""
    waiting, seen = [row], set[int]()
    while waiting and len(seen) < FAR:
        for one in anatomy.after(waiting.pop()):
            if isinstance(one.operation, MatMul):
                return True
            if one.index not in seen and (passes_on(one) or isinstance(one.operation, Pointwise | Arithmetic)):
                seen.add(one.index)
                waiting.append(one)
    return False
