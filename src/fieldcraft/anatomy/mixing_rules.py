"""What operations see that bring whole dimensions together: norms, products, attention, recurrent layers, sums."""

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np
from torch import nn

from fieldcraft.anatomy.joins import contracted
from fieldcraft.anatomy.masks import Visible
from fieldcraft.anatomy.phases import EMPTY
from fieldcraft.anatomy.scene import Here, Result, axes_of, first_of, reshaped, unknown, with_statistics
from fieldcraft.anatomy.sights import (
    MOST_UNITS,
    Along,
    Array,
    Each,
    Fixed,
    Shape,
    Sight,
    bound,
    least_exact,
    listed,
    moved,
    soft,
    tidied,
)
from fieldcraft.anatomy.windows import bounded
from fieldcraft.records.operations import (
    Attention,
    Linear,
    MatMul,
    Normalisation,
    Recurrent,
    Reduce,
    Softmax,
)


def normalisation(here: Here, operation: Normalisation) -> Result:
    """Batch norm in evaluation sees single numbers; the others what they take means over, in the full field."""
    sight, before = first_of(here)
    if sight is None or isinstance(sight, Fixed) or (operation.kind == "batch" and not operation.batch_statistics):
        return with_statistics(sight, here)
    if operation.kind in ("layer", "rms"):
        given = here.given
        count = len(given.get("normalized_shape") or (0,))
        dims = list(range(len(before) - count, len(before)))
    elif operation.kind == "local-response":
        dims = [1]
    else:
        dims = list(range(2, len(before)))
    if here.scene.policy != "full":
        axis = axes_of(sight)
        if operation.kind not in ("layer", "rms"):
            return with_statistics(sight, here)
        dims = [dim for dim in dims if dim not in axis]
    elif operation.kind in ("group", "batch") and isinstance(sight, Along) and sight.labels is not None:
        dims = list(range(1, len(before)))
    mixed = contracted(sight, dims, before, here.pixels)
    return here.joined([(mixed, before), (sight, before)]) if here.scene.policy == "full" else mixed


def softmax(here: Here, operation: Softmax) -> Result:
    """Everything along one dimension that no mask hides; a bound where a mask is not known."""
    sight, before = first_of(here)
    masks, weights = here.scene.masks, here.event.outputs[0]
    if operation.masked and sight is not None:
        visible = masks.visible(weights)
        if visible is not None:
            return _let_through(sight, visible, operation.dim, before, here.pixels)
        if not masks.known(weights):
            return bounded(contracted(sight, [operation.dim], before, here.pixels))
    return contracted(sight, [operation.dim], before, here.pixels)


def _let_through(sight: Sight, visible: Visible, dim: int, shape: Shape, pixels: int) -> Sight | None:
    """All that is visible along a dimension, which stays with size 1."""
    shown = _compacted(visible, dim)
    ends = listed(sight, shape, pixels)
    if (isinstance(sight, Fixed | Each) and sight.softened) or np.broadcast(ends[0], shown).size > MOST_UNITS:
        return bounded(contracted(sight, [dim], shape, pixels))
    return tidied(*_seen(ends, shown, dim), pixels, exact=sight.exact, aligned=sight.aligned)


def _seen(ends: tuple[Array, Array], shown: Visible, dim: int, *, kept: bool = True) -> tuple[Array, Array]:
    low, high = ends
    return (
        np.where(shown, low, EMPTY).min(axis=dim, keepdims=kept),
        np.where(shown, high, -EMPTY).max(axis=dim, keepdims=kept),
    )


def _compacted(visible: Visible, *dims: int) -> Visible:
    """Size 1 along the other dimensions where nothing changes (heads)."""
    for dim in range(visible.ndim):
        first = visible[(slice(None),) * dim + (slice(0, 1),)]
        if dim not in dims and (visible == first).all():
            visible = first
    return visible


MOST_PAIRS = 2**20


def product(here: Here, operation: Linear | MatMul) -> Result:
    """Rows of the one and columns of the other."""
    given = here.given
    names = next(
        (
            pair
            for pair in (("mat1", "mat2"), ("batch1", "batch2"), ("self", "mat2"), ("input", "weight"))
            if pair[0] in given and pair[1] in given
        ),
        None,
    )
    if names is None:
        return unknown(here, operation)
    (left, one), (right, other) = here.part(given[names[0]]), here.part(given[names[1]])
    left = contracted(left, [len(one) - 1], one, here.pixels)
    inner = len(other) - 1 if names == ("input", "weight") else len(other) - 2
    visible = None if right is None or names == ("input", "weight") else here.scene.masks.visible(given[names[0]].value)
    if right is not None and visible is not None:
        right, other = _read_by_rows(right, visible, other, here.pixels)
    else:
        right, other = contracted(right, [inner], other, here.pixels), (*other[:-2], 1, other[-1])
    if names == ("input", "weight") and right is not None:
        return unknown(here, operation)
    bias = given.get("bias") if names == ("input", "weight") else given.get("self") if names[0] != "self" else None
    parts = [(left, (*one[:-1], 1)), (right, other), here.part(bias)]
    maps = _as_maps(parts, here.after)
    if _is_large(maps):
        maps = [(contracted(sight, [len(here.after) - 1], own, here.pixels), own) for sight, own in maps]
        return soft(here.joined(maps), softened=least_exact(sight for sight, _ in maps))
    return here.joined(maps)


def _read_by_rows(right: Sight, visible: Visible, shape: Shape, pixels: int) -> tuple[Sight | None, Shape]:
    """What each row of weights (..., rows, inner) reads of (..., inner, columns), and the shape of that."""
    shown = _compacted(visible, visible.ndim - 1)[..., None]
    after = (*shape[:-2], visible.shape[-2], shape[-1])
    low, high = (one[..., None, :, :] for one in listed(right, shape, pixels))
    if (isinstance(right, Fixed | Each) and right.softened) or np.broadcast(low, shown).size > MOST_UNITS:
        inner = len(shape) - 2
        return bounded(contracted(right, [inner], shape, pixels)), (*shape[:-2], 1, shape[-1])
    ends = _seen((low, high), shown, -2, kept=False)
    return tidied(*ends, pixels, exact=right.exact, aligned=right.aligned), after


def _is_large(parts: Sequence[tuple[Sight | None, Shape]]) -> bool:
    """Too many pairs of rows and columns to list them."""
    sides = [
        tuple(own[dim] if dim in axes_of(sight) else 1 for dim in range(len(own))) for sight, own in parts if sight
    ]
    return len(sides) > 1 and prod(np.broadcast_shapes(*sides)) > MOST_PAIRS


def _as_maps(parts: Sequence[tuple[Sight | None, Shape]], after: Shape) -> list[tuple[Sight | None, Shape]]:
    """Contracted dimensions are no gates: each side counts as if it had the shape of the product already."""
    found: list[tuple[Sight | None, Shape]] = []
    for sight, own in parts:
        if sight is not None:
            shape = (1,) * (len(after) - len(own)) + own
            grown = moved(sight, len(after) - len(own))
            kept = axes_of(grown) if grown is not None else []
            found.append((grown, tuple(shape[dim] if dim in kept else after[dim] for dim in range(len(after)))))
    return found


def attention(here: Here, operation: Attention) -> Result:
    """The query, and all keys and values (those so far, if causal).

    What a mask hides is not looked at: with one that may hide pairs, fields are bounds. Scores made of parameters alone
    (a bias for each relative position) hide nothing.
    """
    given = here.given
    pixels = here.pixels
    (query, one), (key, other), (value, third) = (here.part(given[name]) for name in ("query", "key", "value"))
    rank = len(one)
    query = contracted(query, [rank - 1], one, pixels)
    key = contracted(key, [rank - 1], other, pixels)
    if rank > 3 and one[-3] != other[-3]:  # heads that several queries share
        key, value = contracted(key, [rank - 3], other, pixels), contracted(value, [rank - 3], third, pixels)
        other, third = ((*own[:-3], 1, *own[-2:]) for own in (other, third))
    if operation.causal:
        steps = operation.queries == operation.keys
        key, value = (
            _until_now(part, rank - 2, own, pixels) if steps else bounded(part)
            for part, own in ((key, other), (value, third))
        )
    else:
        key, value = contracted(key, [rank - 2], other, pixels), contracted(value, [rank - 2], third, pixels)
    if operation.masked:
        key, value = bounded(key), bounded(value)
    bias = here.part(given.get("attn_mask", given.get("attn_bias")))
    bias = (contracted(bias[0], [rank - 1], bias[1], pixels), bias[1]) if bias[0] is not None else (None, ())
    parts = _as_maps([(query, one), (key, other), (value, third), bias], here.after)
    return here.joined(parts)


def _until_now(sight: Sight | None, dim: int, shape: Shape, pixels: int) -> Sight | None:
    """Along a dimension everything so far."""
    if sight is None or isinstance(sight, Fixed):
        return sight
    low, high = listed(sight, shape, pixels)
    low, high = np.minimum.accumulate(low, axis=dim), np.maximum.accumulate(high, axis=dim)
    return tidied(low, high, pixels, exact=sight.exact, aligned=sight.aligned)


def recurrent(here: Here, operation: Recurrent) -> Result:
    """All steps so far, or all."""
    layer = here.event.layer
    assert isinstance(layer, nn.RNNBase)
    sight, before = first_of(here)
    states = [part for part in here.parts[1:] if part[0] is not None]
    steps = (1 if layer.batch_first else 0) if len(before) == 3 else 0
    mixed = contracted(sight, [len(before) - 1], before, here.pixels)
    whole = contracted(mixed, [steps], (*before[:-1], 1), here.pixels)
    seen = whole if operation.bidirectional else _until_now(mixed, steps, (*before[:-1], 1), here.pixels)
    if states:
        return [bound(here.pixels)] * len(here.event.outputs)
    last = whole if whole is None or isinstance(whole, Fixed) else bound(here.pixels)
    return [seen] + [last] * (len(here.event.outputs) - 1)


def reduce(here: Here, operation: Reduce) -> Result:
    """Whole dimensions together, or everything so far."""
    sight, before = first_of(here)
    if sight is None or isinstance(sight, Fixed):
        return sight
    if here.event.packet in ("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin"):
        return _until_now(sight, operation.dims[0], before, here.pixels)
    if len(operation.dims) == len(before) and here.after == before:
        return sight
    pooled = any(dim in operation.dims for dim in axes_of(sight))
    found = contracted(sight, operation.dims, before, here.pixels, pooled=pooled)
    if len(here.after) < len(before):
        found = _dropped(found, operation.dims)
    return [found] * len(here.event.outputs)


def _dropped(sight: Sight | None, dims: Sequence[int]) -> Sight | None:
    """Without dimensions of size 1."""
    if isinstance(sight, Along):
        sight = replace(sight, dim=sight.dim - sum(dim < sight.dim for dim in dims))
    return reshaped(sight, lambda values: values.squeeze(tuple(dims)))
