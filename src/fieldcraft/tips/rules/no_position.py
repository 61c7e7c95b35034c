"""Tokens attend to each other and nothing tells where they are.

Why: attention gives the same answer for any order of its tokens. Without positions added to them, biases of the
scores, rotated queries and keys, a causal mask or a padded convolution, an image is a bag of patches and a sentence a
bag of words.

Example:
    x = self.encoder(self.patches(image).flatten(2).transpose(1, 2))

Instead:
    x = self.encoder(self.patches(image).flatten(2).transpose(1, 2) + self.position)

Leave it: for sets and point clouds, whose order says nothing, and for bare encoders whose input has positions already
(those with no layer before the first attention are not mentioned).
Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.5; Islam et al. 2020, arXiv:2001.08248 (padding).
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import (
    Arithmetic,
    Attention,
    Concatenate,
    Convolution,
    Lookup,
    Pad,
    Pointwise,
    Pool,
    Recurrent,
    Unknown,
)
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.attention_scores import Scores, scores
from fieldcraft.tips.rules.graph import weighted

TOKENS = 8
"""Fewer are left alone."""
WIDTH = {"float64": 8, "int64": 8, "float16": 2, "bfloat16": 2, "bool": 1}


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network, when nothing up to its last attention could tell positions."""
    if len(anatomy.inputs) > 1:
        return
    found = [one for one in scores(anatomy) if one.keys >= TOKENS]
    if not found or any(isinstance(one.row.operation, Attention) for one in found):
        return
    rows = anatomy.rows[: found[-1].row.index]
    if any(_tells_positions(anatomy, row) for row in rows) or sum(map(_looks_up, rows)) > 1:
        return
    if any(_biased(anatomy, one) for one in found) or _layers_before(anatomy, found[0].product) < 2:
        return
    yield RULE.finding(
        f"{len(found)} attention layer{'s' if len(found) > 1 else ''} over up to "
        f"{max(one.keys for one in found):,} tokens: nothing before or in them depends on where a token is",
        remedy="add learned or sinusoidal positions to the tokens, a relative bias to the scores, or rotary positions",
        rows=[one.row for one in found],
        numbers={"layers": len(found), "tokens": max(one.keys for one in found)},
    )


def _tells_positions(anatomy: Anatomy, row: Row) -> bool:
    """Its result could depend on the place of a token."""
    match row.operation:
        case Recurrent() | Unknown():
            return True
        case (
            Convolution(kernel=kernel, stride=stride, padding=padding)
            | Pool(kernel=kernel, stride=stride, padding=padding)
        ):
            return any(size > step for size, step in zip(kernel, stride, strict=True)) or any(padding)
        case Pad(before=before, after=after):
            return any(before) or any(after)
        case Pointwise(name="sin" | "cos"):
            return True
        case Pointwise() | Arithmetic() | Concatenate():
            return isinstance(row.operation, Pointwise) and _fixed_numbers(anatomy, row) > _channels(anatomy, row)
        case _:
            return False


def _fixed_numbers(anatomy: Anatomy, row: Row) -> int:
    """Numbers that it reads and that do not depend on the input."""
    came = 0
    for value in row.inputs:
        size = WIDTH.get(anatomy.values[value].dtype, 4)
        for length in anatomy.shape(value):
            size *= length
        came += size
    return (row.cost.read - came) // 4


def _channels(anatomy: Anatomy, row: Row) -> int:
    """As many as one number for each channel takes, wherever channels stand."""
    shape = anatomy.shape(row.outputs[0]) if row.outputs else ()
    return max((*shape[1:2], *shape[-1:], 1))


def _biased(anatomy: Anatomy, one: Scores) -> bool:
    """Something is added to the scores, or some are masked."""
    return any(isinstance(row.operation, Arithmetic) or _fixed_numbers(anatomy, row) > 1 for row in one.between)


def _looks_up(row: Row) -> bool:
    return isinstance(row.operation, Lookup) and bool(row.inputs)


def _layers_before(anatomy: Anatomy, product: Row) -> int:
    """Layers with weights, or tables, on the longest way to the first scores."""
    depth: dict[int, int] = {}
    for row in anatomy.rows[: product.index]:
        reached = max((depth.get(value, 0) for value in row.inputs), default=0) + (weighted(row) or _looks_up(row))
        depth.update(dict.fromkeys(row.outputs, reached))
    return max((depth.get(value, 0) for value in product.inputs), default=0)


RULE = Rule(code="FC025", name="no-position", severity=Severity.WARNING, check=check)
