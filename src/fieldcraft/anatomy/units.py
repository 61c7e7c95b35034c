"""What the outputs of an operation see, given what its inputs see: a rule for each kind of operation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
from torch import nn

from fieldcraft.anatomy.capture import OVERLAY, Capture, Event, Ref
from fieldcraft.anatomy.joins import Policy, contracted, join, side_by_side
from fieldcraft.anatomy.operations import arguments
from fieldcraft.anatomy.overlay import overlaid
from fieldcraft.anatomy.phases import Taps, adaptive, resized, transposed, window
from fieldcraft.anatomy.sights import Along, Each, Fixed, Shape, Sight, along, bound, fixed, listed, moved, soft, tidied
from fieldcraft.anatomy.structure import MOVES, Places, rearranged
from fieldcraft.anatomy.windows import bounded, taken, through
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

MOST_PAIRS = 2**20

FRESH = frozenset(
    "ones_like zeros_like empty_like full_like rand_like randn_like new_zeros new_ones new_empty new_full randint_like "
    "fill fill_ zero zero_ normal_ uniform_ random_ exponential_ bernoulli_".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One axis of one input, looked at in one way."""

    capture: Capture
    pixels: int
    policy: Policy
    sights: dict[int, Sight] = field(default_factory=dict)
    places: Places = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Here:
    """An event in a scene."""

    scene: Scene
    event: Event

    def shape(self, value: int) -> Shape:
        return self.scene.capture.values[value].shape

    @property
    def pixels(self) -> int:
        return self.scene.pixels

    @property
    def after(self) -> Shape:
        """Shape of the first output."""
        return self.shape(self.event.outputs[0])

    def part(self, given: Any) -> tuple[Sight | None, Shape]:
        """Of an argument that is a tensor (or none)."""
        if not isinstance(given, Ref):
            return None, ()
        return self.scene.sights.get(given.value), self.shape(given.value)

    @property
    def parts(self) -> list[tuple[Sight | None, Shape]]:
        """Of all tensors that are read."""
        return [self.part(Ref(value)) for value in self.event.refs()]

    @property
    def given(self) -> dict[str, Any]:
        """Arguments by name."""
        return arguments(self.event)

    def joined(self, parts: Sequence[tuple[Sight | None, Shape]]) -> Sight | None:
        return join(parts, self.after, self.pixels, self.scene.policy)


Result = Sight | None | list[Sight | None]


def seen_after(scene: Scene, event: Event, operation: Operation) -> list[Sight | None]:
    """What each output of an event sees."""
    here = Here(scene, event)
    rule = RULES.get(type(operation), _unknown)
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


def _first(here: Here) -> tuple[Sight | None, Shape]:
    """The tensor that the operation is about."""
    return here.part(next((one for one in here.event.args if isinstance(one, Ref)), None))


def _unknown(here: Here, operation: Any) -> Result:
    return bound(here.pixels) if any(sight is not None for sight, _ in here.parts) else None


def _same(here: Here, operation: Any) -> Result:
    return _first(here)[0]


def _pointwise(here: Here, operation: Any) -> Result:
    if here.event.packet in FRESH:
        return None
    sight, before = _first(here)
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
        return _reshaped(sight, lambda values: values[..., None])
    sight = contracted(sight, [len(before) - 1], before, here.pixels)
    return _reshaped(sight, lambda values: values[..., 0])


def _reshaped(sight: Sight | None, change: Callable[[Any], Any]) -> Sight | None:
    if isinstance(sight, Each):
        return replace(sight, low=change(sight.low), high=change(sight.high))
    if isinstance(sight, Along) and sight.labels is not None:
        return replace(sight, labels=change(sight.labels))
    return sight


def _activation(here: Here, operation: Activation) -> Result:
    sight, before = _first(here)
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
        return _unknown(here, operation)
    return here.joined(here.parts)


def _convolution(here: Here, operation: Convolution) -> Result:
    given = here.given
    sight, before = here.part(given.get("input", given.get("self")))
    seen = _mixed_channels(sight, before, here.after, operation.groups, here.pixels)
    middle = (before[0], here.after[1], *before[2:])
    for axis in range(len(operation.kernel)):
        dim, window_of = axis + 2, transposed if operation.transposed else window
        taps = window_of(
            operation.kernel[axis], operation.stride[axis], operation.padding[axis], operation.dilation[axis]
        )
        seen = through(seen, dim, taps, middle, here.after[dim], here.pixels)
        middle = (*middle[:dim], here.after[dim], *middle[dim + 1 :])
    weight = here.part(given.get("weight"))
    if weight[0] is None:
        return seen
    whole = fixed(weight[0], weight[1], here.pixels, pooled=isinstance(weight[0], Fixed) and weight[0].pooled)
    return here.joined([(seen, here.after), (whole, (1,) * len(here.after))])


def _mixed_channels(sight: Sight | None, before: Shape, after: Shape, groups: int, pixels: int) -> Sight | None:
    """Each group of channels out reads its group of channels in."""
    if groups == 1:
        return contracted(sight, [1], before, pixels)
    if sight is None or isinstance(sight, Fixed):
        return sight
    if isinstance(sight, Along) and sight.dim != 1 and (sight.labels is None or sight.labels.shape[1] == 1):
        return sight
    if isinstance(sight, Each) and sight.low.shape[1] == 1:
        return sight
    inner, repeats = before[1] // groups, after[1] // groups
    split = (before[0], groups, inner, *before[2:])
    if isinstance(sight, Along) and sight.dim != 1:
        assert sight.labels is not None
        labels = sight.labels.reshape(sight.labels.shape[0], groups, inner, *sight.labels.shape[2:])
        apart: Sight | None = Along(sight.dim + 1, sight.palette, labels, sight.exact, sight.aligned)
    else:
        low, high = (one.reshape(one.shape[0], groups, inner, *one.shape[2:]) for one in listed(sight, before, pixels))
        apart = Each(low, high, sight.exact, sight.aligned)
    return _ungrouped(contracted(apart, [2], split, pixels), groups, repeats, split, pixels)


def _ungrouped(sight: Sight | None, groups: int, repeats: int, split: Shape, pixels: int) -> Sight | None:
    if sight is None or isinstance(sight, Fixed):
        return sight
    if isinstance(sight, Along) and sight.dim > 2:
        labels = None
        if sight.labels is not None:
            whole = np.broadcast_to(sight.labels, (sight.labels.shape[0], groups, *sight.labels.shape[2:]))
            labels = np.repeat(whole[:, :, 0], repeats, axis=1)
        return along(sight.dim - 1, sight.palette, labels, exact=sight.exact, aligned=sight.aligned)
    low, high = listed(sight, (split[0], groups, 1, *split[3:]), pixels)
    wide = (low.shape[0], groups, *low.shape[2:])
    lows, highs = (np.repeat(np.broadcast_to(one, wide)[:, :, 0], repeats, axis=1) for one in (low, high))
    return tidied(lows, highs, pixels, exact=sight.exact, aligned=sight.aligned)


def _windows(here: Here, sight: Sight | None, before: Shape, taps: Sequence[Taps]) -> Sight | None:
    """A window along each of the last dimensions."""
    for dim, one in enumerate(taps, start=len(before) - len(taps)):
        sight = through(sight, dim, one, before, here.after[dim], here.pixels)
        before = (*before[:dim], here.after[dim], *before[dim + 1 :])
    return sight


def _pool(here: Here, operation: Pool) -> Result:
    per_axis = zip(operation.kernel, operation.stride, operation.padding, operation.dilation, strict=True)
    return _windows(here, *_first(here), [window(*one) for one in per_axis])


def _adaptive(here: Here, operation: AdaptivePool) -> Result:
    sight, before = _first(here)
    start = len(before) - len(operation.size)
    globally = [dim for dim in range(start, len(before)) if here.after[dim] == 1]
    if isinstance(sight, Along) and sight.dim in globally:
        return contracted(sight, globally, before, here.pixels, pooled=True)
    return _windows(here, sight, before, [adaptive(before[dim], here.after[dim]) for dim in range(start, len(before))])


def _resize(here: Here, operation: Resize) -> Result:
    sight, before = _first(here)
    given, axes = here.given, len(operation.before)
    factors = given.get("scale_factors") or [
        given.get(name) for name in (("scales",) if axes == 1 else ("scales_d", "scales_h", "scales_w")[-axes:])
    ]
    scales = [_scale(operation, place, factor) for place, factor in enumerate(factors)]
    if operation.mode == "nearest-exact" or operation.mode == "nearest":
        taps = [
            _checked_nearest(operation.mode, scale, *sides)
            for scale, sides in zip(scales, zip(operation.before, operation.after, strict=True), strict=True)
        ]
    else:
        taps = [
            resized(operation.mode, one, corners=operation.align_corners, antialias=operation.antialias)
            for one in scales
        ]
    return _windows(here, sight, before, taps)


def _scale(operation: Resize, place: int, factor: float | None) -> Fraction:
    before, after = operation.before[place], operation.after[place]
    if operation.align_corners:
        return Fraction(before - 1, after - 1) if after > 1 else Fraction(0)
    if factor:
        return 1 / Fraction(factor).limit_denominator(10_000)
    return Fraction(before, after)


def _checked_nearest(mode: str, scale: Fraction, before: int, after: int) -> Taps:
    """PyTorch rounds in single precision; where that moves a pixel, every unit is written down."""
    exact = resized(mode, scale)
    half = np.float32(0.5 if mode == "nearest-exact" else 0)
    units = np.arange(after, dtype=np.float32)
    torch_says = np.floor((units + half) * np.float32(float(scale))).astype(np.int64)
    if all(exact.at(unit)[0] == said for unit, said in enumerate(torch_says.tolist())):
        return exact
    return Taps(tuple(np.minimum(torch_says, before - 1).tolist()), (1,) * after, before, clamped=True)


def _normalisation(here: Here, operation: Normalisation) -> Result:
    sight, before = _first(here)
    if sight is None or isinstance(sight, Fixed) or (operation.kind == "batch" and not operation.batch_statistics):
        return _with_statistics(sight, here)
    if operation.kind in ("layer", "rms"):
        given = here.given
        count = len(given.get("normalized_shape") or (0,))
        dims = list(range(len(before) - count, len(before)))
    elif operation.kind == "local-response":
        dims = [1]
    else:
        dims = list(range(2, len(before)))
    if here.scene.policy != "full":
        axis = _axes_of(sight)
        if operation.kind not in ("layer", "rms"):
            return _with_statistics(sight, here)
        dims = [dim for dim in dims if dim not in axis]
    elif operation.kind in ("group", "batch") and isinstance(sight, Along) and sight.labels is not None:
        dims = list(range(1, len(before)))
    mixed = contracted(sight, dims, before, here.pixels)
    return here.joined([(mixed, before), (sight, before)]) if here.scene.policy == "full" else mixed


def _with_statistics(sight: Sight | None, here: Here) -> list[Sight | None]:
    return [sight] + [None if sight is None else bound(here.pixels)] * (len(here.event.outputs) - 1)


def _axes_of(sight: Sight) -> list[int]:
    if isinstance(sight, Along):
        return [sight.dim]
    if isinstance(sight, Each):
        return [dim for dim, side in enumerate(sight.low.shape) if side > 1]
    return []


def _softmax(here: Here, operation: Softmax) -> Result:
    sight, before = _first(here)
    return contracted(sight, [operation.dim], before, here.pixels)


def _product(here: Here, operation: Linear | MatMul) -> Result:
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
        return _unknown(here, operation)
    (left, one), (right, other) = here.part(given[names[0]]), here.part(given[names[1]])
    left = contracted(left, [len(one) - 1], one, here.pixels)
    inner = len(other) - 1 if names == ("input", "weight") else len(other) - 2
    right = contracted(right, [inner], other, here.pixels)
    if names == ("input", "weight") and right is not None:
        return _unknown(here, operation)
    bias = given.get("bias") if names == ("input", "weight") else given.get("self") if names[0] != "self" else None
    parts = [(left, (*one[:-1], 1)), (right, (*other[:-2], 1, other[-1])), here.part(bias)]
    maps = _as_maps(parts, here.after)
    if _is_large(maps):
        maps = [(contracted(sight, [len(here.after) - 1], own, here.pixels), own) for sight, own in maps]
        return soft(here.joined(maps), softened=all(sight is None or sight.exact for sight, _ in maps))
    return here.joined(maps)


def _is_large(parts: Sequence[tuple[Sight | None, Shape]]) -> bool:
    """Too many pairs of rows and columns to list them."""
    sides = [
        tuple(own[dim] if dim in _axes_of(sight) else 1 for dim in range(len(own))) for sight, own in parts if sight
    ]
    return len(sides) > 1 and prod(np.broadcast_shapes(*sides)) > MOST_PAIRS


def _as_maps(parts: Sequence[tuple[Sight | None, Shape]], after: Shape) -> list[tuple[Sight | None, Shape]]:
    """Contracted dimensions are no gates: each side counts as if it had the shape of the product already."""
    found: list[tuple[Sight | None, Shape]] = []
    for sight, own in parts:
        if sight is not None:
            shape = (1,) * (len(after) - len(own)) + own
            grown = moved(sight, len(after) - len(own))
            kept = _axes_of(grown) if grown is not None else []
            found.append((grown, tuple(shape[dim] if dim in kept else after[dim] for dim in range(len(after)))))
    return found


def _attention(here: Here, operation: Attention) -> Result:
    given = here.given
    pixels = here.pixels
    (query, one), (key, other), (value, third) = (here.part(given[name]) for name in ("query", "key", "value"))
    rank = len(one)
    query = contracted(query, [rank - 1], one, pixels)
    key = contracted(key, [rank - 1], other, pixels)
    if given.get("is_causal"):
        steps = operation.queries == operation.keys
        key, value = (
            _until_now(part, rank - 2, own, pixels) if steps else bounded(part)
            for part, own in ((key, other), (value, third))
        )
    else:
        key, value = contracted(key, [rank - 2], other, pixels), contracted(value, [rank - 2], third, pixels)
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


def _recurrent(here: Here, operation: Recurrent) -> Result:
    layer = here.event.layer
    assert isinstance(layer, nn.RNNBase)
    sight, before = _first(here)
    states = [part for part in here.parts[1:] if part[0] is not None]
    steps = (1 if layer.batch_first else 0) if len(before) == 3 else 0
    mixed = contracted(sight, [len(before) - 1], before, here.pixels)
    whole = contracted(mixed, [steps], (*before[:-1], 1), here.pixels)
    seen = whole if operation.bidirectional else _until_now(mixed, steps, (*before[:-1], 1), here.pixels)
    if states:
        return [bound(here.pixels)] * len(here.event.outputs)
    last = whole if whole is None or isinstance(whole, Fixed) else bound(here.pixels)
    return [seen] + [last] * (len(here.event.outputs) - 1)


def _reduce(here: Here, operation: Reduce) -> Result:
    sight, before = _first(here)
    if sight is None or isinstance(sight, Fixed):
        return sight
    if here.event.packet in ("cumsum", "cumprod", "logcumsumexp", "cummax", "cummin"):
        return _until_now(sight, operation.dims[0], before, here.pixels)
    if len(operation.dims) == len(before) and here.after == before:
        return sight
    pooled = any(dim in operation.dims for dim in _axes_of(sight))
    found = contracted(sight, operation.dims, before, here.pixels, pooled=pooled)
    if len(here.after) < len(before):
        found = _dropped(found, operation.dims)
    return [found] * len(here.event.outputs)


def _dropped(sight: Sight | None, dims: Sequence[int]) -> Sight | None:
    """Without dimensions of size 1."""
    if isinstance(sight, Along):
        sight = replace(sight, dim=sight.dim - sum(dim < sight.dim for dim in dims))
    return _reshaped(sight, lambda values: values.squeeze(tuple(dims)))


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
    return _reshaped(sight, lambda values: np.expand_dims(values, at))


def _pad(here: Here, operation: Pad) -> Result:
    sight, before = _first(here)
    for dim, margins in enumerate(
        zip(operation.before, operation.after, strict=True), len(before) - len(operation.before)
    ):
        if not any(margins):
            continue
        after = before[dim] + sum(margins)
        if operation.mode in ("constant", "reflect", "replicate"):
            sight = through(sight, dim, Taps((-margins[0],), (1,), 1), before, after, here.pixels)
        else:
            units = np.arange(-margins[0], before[dim] + margins[1]) % before[dim]
            sight = taken(sight, dim, units, before, here.pixels)
        before = (*before[:dim], after, *before[dim + 1 :])
    return sight


def _rearrange(here: Here, operation: Rearrange) -> Result:
    packet = here.event.packet
    sight, before = _first(here)
    moving = [part for part in here.parts if part[0] is not None]
    if packet in ("tril", "triu"):
        return sight
    if packet in MOVES and len(moving) == 1 and sight is not None and here.event.outputs:
        after = [here.shape(value) for value in here.event.outputs]
        return rearranged(here.event, sight, before, after, here.pixels, here.scene.places)
    if all(isinstance(one, Fixed) for one, _ in moving) and packet not in ("sort", "topk"):
        return here.joined([(one, ()) for one, _ in moving])
    return _unknown(here, operation)


def _lookup(here: Here, operation: Lookup) -> Result:
    if here.event.packet == "embedding":
        sight, _ = here.part(here.given["indices"])
        return _reshaped(sight, lambda values: values[..., None])
    sight, before = _first(here)
    if sight is None and here.event.packet == "index":
        index = [here.part(one) for one in here.event.args[1]]
        if len(index) == 1:
            extra = len(before) - 1
            return _reshaped(index[0][0], lambda values: values.reshape(*values.shape, *(1,) * extra))
    return _rearrange(here, Rearrange(name=here.event.packet))


def _nothing(here: Here, operation: Any) -> Result:
    return None


RULES: Mapping[type[Any], Callable[[Here, Any], Result]] = {
    Convolution: _convolution,
    Pool: _pool,
    AdaptivePool: _adaptive,
    Resize: _resize,
    Normalisation: _normalisation,
    Activation: _activation,
    Softmax: _softmax,
    Linear: _product,
    MatMul: _product,
    Attention: _attention,
    Recurrent: _recurrent,
    Arithmetic: _arithmetic,
    Pointwise: _pointwise,
    Concatenate: _concatenate,
    Pad: _pad,
    Reduce: _reduce,
    Rearrange: _rearrange,
    Lookup: _lookup,
    Regulariser: _same,
    Create: _nothing,
}
