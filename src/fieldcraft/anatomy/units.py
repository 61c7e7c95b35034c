"""What the outputs of an operation see, given what its inputs see: a rule for each kind of operation."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from fieldcraft.anatomy.capture import OVERLAY, Event
from fieldcraft.anatomy.channel_rules import convolution
from fieldcraft.anatomy.fold_rules import FOLDS, fold
from fieldcraft.anatomy.joins import contracted, side_by_side
from fieldcraft.anatomy.mixing_rules import attention, normalisation, product, recurrent, reduce, softmax
from fieldcraft.anatomy.overlay import overlaid
from fieldcraft.anatomy.phases import Taps
from fieldcraft.anatomy.scene import Here, Result, Scene, axes_of, first_of, reshaped, unknown
from fieldcraft.anatomy.sights import Along, Fixed, Shape, Sight, bound
from fieldcraft.anatomy.structure import MOVES, rearranged
from fieldcraft.anatomy.window_rules import adaptive_pool, pad, pool, resize
from fieldcraft.anatomy.windows import through
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

FRESH = frozenset(
    "ones_like zeros_like empty_like full_like rand_like randn_like new_zeros new_ones new_empty new_full randint_like "
    "fill fill_ zero zero_ normal_ uniform_ random_ exponential_ bernoulli_".split()
)


def seen_after(scene: Scene, event: Event, operation: Operation) -> list[Sight | None]:
    """What each output of an event sees."""
    here = Here(scene, event)
    rule = RULES.get(type(operation), unknown)
    found = (
        overlaid(here.parts, event, scene.capture, scene.pixels) if event.function == OVERLAY else rule(here, operation)
    )
    if isinstance(found, list):
        return found
    more = len(event.outputs) - 1
    return [found] + ([_side(found, here)] * more if more > 0 else [])


def _side(first: Sight | None, here: Here) -> Sight | None:
    """Further outputs (indices, statistics) are seldom read: same shape, same sight; otherwise a bound."""
    if first is None or isinstance(first, Fixed):
        return first
    same = all(here.shape(value) == here.after for value in here.event.outputs)
    return first if same else bound(here.pixels)


def _same(here: Here, operation: Any) -> Result:
    return first_of(here)[0]


def _pointwise(here: Here, operation: Any) -> Result:
    if here.event.packet in FRESH:
        return None
    sight, before = first_of(here)
    if here.event.packet in ("view_as_real", "view_as_complex"):
        return _last_dimension(sight, before, here)
    if before != here.after:
        return here.joined(here.parts) if sight is None else here.joined([(sight, before)])
    return sight if sight is not None else here.joined(here.parts)


def _last_dimension(sight: Sight | None, before: Shape, here: Here) -> Sight | None:
    """Real and imaginary parts get a dimension, or lose it."""
    if sight is None or isinstance(sight, Fixed):
        return sight
    if len(here.after) > len(before):
        return reshaped(sight, lambda values: values[..., None])
    sight = contracted(sight, [len(before) - 1], before, here.pixels)
    return reshaped(sight, lambda values: values[..., 0])


def _activation(here: Here, operation: Activation) -> Result:
    sight, before = first_of(here)
    if operation.name != "glu" or sight is None or isinstance(sight, Fixed):
        return sight
    dim = here.given.get("dim", -1) % len(before)
    half = before[dim] // 2
    halves = [through(sight, dim, Taps((start,), (1,), 1), before, half, here.pixels) for start in (0, half)]
    return here.joined([(one, here.after) for one in halves])


def _arithmetic(here: Here, operation: Arithmetic) -> Result:
    if operation.name == "copy":
        return here.joined([here.part(here.event.args[1])])
    if operation.name == "masked_scatter":
        return unknown(here, operation)
    return here.joined(here.parts)


def _concatenate(here: Here, operation: Concatenate) -> Result:
    given = here.event.args[0]
    parts = [part for part in map(here.part, given) if part[1] != (0,)]
    if here.event.packet == "stack":
        at = operation.dim
        parts = [(_widened(sight, at), (*own[:at], 1, *own[at:])) for sight, own in parts]
    return side_by_side(parts, operation.dim, here.after, here.pixels, here.scene.policy)


def _widened(sight: Sight | None, at: int) -> Sight | None:
    if isinstance(sight, Along):
        sight = replace(sight, dim=sight.dim + (sight.dim >= at))
    return reshaped(sight, lambda values: np.expand_dims(values, at))


def _rearrange(here: Here, operation: Rearrange) -> Result:
    packet = here.event.packet
    sight, before = first_of(here)
    moving = [part for part in here.parts if part[0] is not None]
    if packet in ("tril", "triu"):
        return sight
    if packet in FOLDS:
        return fold(here)
    if packet == "index" and sight is not None and _picks_elsewhere(here, sight):
        return sight
    if packet in MOVES and len(moving) == 1 and sight is not None and here.event.outputs:
        after = [here.shape(value) for value in here.event.outputs]
        return rearranged(here.event, sight, before, after, here.pixels, here.scene.places)
    if all(isinstance(one, Fixed) for one, _ in moving) and packet not in ("sort", "topk"):
        return here.joined([(one, ()) for one, _ in moving])
    return unknown(here, operation)


def _picks_elsewhere(here: Here, sight: Sight) -> bool:
    """Places along one dimension, where nothing changes, in an order that no input decides about."""
    places = [(dim, one.value) for dim, one in enumerate(here.event.args[1]) if one is not None]
    if len(places) != 1:
        return False
    (dim, index), axes = places[0], axes_of(sight)
    plain = index in here.scene.capture.static and len(here.shape(index)) == 1
    labelled = isinstance(sight, Along) and sight.labels is not None and sight.labels.shape[dim] > 1
    return plain and dim not in axes and not labelled


def _lookup(here: Here, operation: Lookup) -> Result:
    if here.event.packet == "embedding":
        sight, _ = here.part(here.given["indices"])
        return reshaped(sight, lambda values: values[..., None])
    sight, before = first_of(here)
    if sight is None and here.event.packet == "index":
        index = [here.part(one) for one in here.event.args[1]]
        if len(index) == 1:
            extra = len(before) - 1
            return reshaped(index[0][0], lambda values: values.reshape(*values.shape, *(1,) * extra))
    return _rearrange(here, Rearrange(name=here.event.packet))


def _nothing(here: Here, operation: Any) -> Result:
    return None


RULES: Mapping[type[Any], Callable[[Here, Any], Result]] = {
    Convolution: convolution,
    Pool: pool,
    AdaptivePool: adaptive_pool,
    Resize: resize,
    Normalisation: normalisation,
    Activation: _activation,
    Softmax: softmax,
    Linear: product,
    MatMul: product,
    Attention: attention,
    Recurrent: recurrent,
    Arithmetic: _arithmetic,
    Pointwise: _pointwise,
    Concatenate: _concatenate,
    Pad: pad,
    Reduce: reduce,
    Rearrange: _rearrange,
    Lookup: _lookup,
    Regulariser: _same,
    Create: _nothing,
}
