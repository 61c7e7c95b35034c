"""Receptive fields of every event of a recorded forward pass.

The axes of an input of rank 4 and more are dimensions 2, 3, ... (after batch and channels), of rank 2 dimension 1. Of
rank 3 it is dimension 2 in (n, channels, steps) and dimension 1 in (n, steps, features), whichever stays a dimension
for longer on the way through the network.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from fieldcraft.anatomy.capture import OVERLAY, Event
from fieldcraft.anatomy.joins import Policy
from fieldcraft.anatomy.masks import Masks
from fieldcraft.anatomy.operations import operation_of
from fieldcraft.anatomy.phases import EMPTY, PIXELS
from fieldcraft.anatomy.repeats import Repeats, kinds_of, name_of
from fieldcraft.anatomy.scene import Scene
from fieldcraft.anatomy.sights import BOUND, EVERYWHERE, Along, Each, Fixed, Shape, Sight, listed, merged, size_of
from fieldcraft.anatomy.structure import Places
from fieldcraft.anatomy.trace import Traced
from fieldcraft.anatomy.units import seen_after
from fieldcraft.records.anatomy import AxisField, InputField
from fieldcraft.records.operations import Arithmetic, Concatenate, Normalisation, Operation, Softmax

POLICIES: tuple[Policy, Policy, Policy] = ("local", "full", "least")


@dataclass(frozen=True, slots=True)
class Track:
    """One axis of one input, seen in three ways."""

    value: int
    axis: int
    """Dimension of the input."""
    local: Scene
    full: Scene
    least: Scene
    moving: set[int]
    """Values whose units do not all see the same; those that were let go of, too."""

    def forget(self, value: int) -> None:
        """Let go of what is seen of a value."""
        for scene in (self.local, self.full, self.least):
            scene.sights.pop(value, None)

    def scene(self, policy: Policy) -> Scene:
        """One of the three ways."""
        return {"local": self.local, "full": self.full, "least": self.least}[policy]


def fields_of(traced: Traced) -> list[tuple[InputField, ...]]:
    """For each event, what its first output sees of each input."""
    names = dict(zip(traced.inputs, traced.input_names, strict=True))
    known = _Known()
    described: list[dict[tuple[int, int], AxisField]] = [{} for _ in traced.capture.events]

    def describe(place: int, event: Event, tracks: Sequence[Track]) -> None:
        for track in tracks:
            found = _axis_field(track, event.outputs[0], known)
            if found is not None:
                described[place][track.value, track.axis] = found

    tracks = followed(traced, describe, kept=())
    rows = []
    for fields in described:
        row = []
        for value in dict.fromkeys(track.value for track in tracks):
            axes = [fields.get((one.value, one.axis)) for one in tracks if one.value == value]
            seen = tuple(axis for axis in axes if axis is not None)
            if seen:
                row.append(InputField(input=names[value], axes=seen))
        rows.append(tuple(row))
    return rows


def axes_of(traced: Traced) -> dict[str, tuple[int, ...]]:
    """For each input the dimensions that its fields are given for, in the order of `InputField.axes`."""
    names = dict(zip(traced.inputs, traced.input_names, strict=True))
    tracks = followed(traced, kept=())
    return {name: tuple(one.axis for one in tracks if one.value == value) for value, name in names.items()}


def intervals_of(
    traced: Traced, event: int, input: int = 0, axis: int = 0, *, policy: Policy = "local"
) -> list[tuple[int, int] | None]:
    """First and last pixel that each unit of an event's first output sees, clipped to the input; None sees nothing.

    Units are counted along the dimension that carries the axis; the hull over the others is given. An entry for all
    units where no dimension does.
    """
    output = traced.capture.events[event].outputs[0]
    tracks = [one for one in followed(traced, kept=(output,)) if one.value == traced.inputs[input]]
    return intervals_in(tracks[axis].scene(policy), output)


def intervals_in(scene: Scene, value: int) -> list[tuple[int, int] | None]:
    """As `intervals_of`, of one value in a scene that was followed before."""
    shape = scene.capture.values[value].shape
    sight = scene.sights.get(value)
    low, high = listed(sight, shape, scene.pixels)
    dim = unit_dimension(sight, shape)
    others = tuple(one for one in range(low.ndim) if one != dim)
    pairs = zip(low.min(axis=others).reshape(-1).tolist(), high.max(axis=others).reshape(-1).tolist(), strict=True)
    return [(first, last) if first <= last and first < EMPTY else None for first, last in pairs]


def unit_dimension(sight: Sight | None, shape: Shape) -> int:
    """The dimension along which units are counted: the one that carries the axis, or the one that tells most apart."""
    if isinstance(sight, Along):
        return sight.dim
    if isinstance(sight, Each):
        return max(range(len(shape)), key=lambda dim: sight.low.shape[dim])
    return len(shape) - 1


def _nothing(place: int, event: Event, tracks: Sequence[Track]) -> None:
    """Nobody looks on."""


def followed(
    traced: Traced, look: Callable[[int, Event, Sequence[Track]], None] = _nothing, *, kept: Collection[int]
) -> list[Track]:
    """All axes of all inputs through all events; `look` is called after each of them.

    What is seen of a value is let go of after its last reader, but for those that are `kept`: all of it together is
    gigabytes in some networks.
    """
    operations = [operation_of(event, traced.capture) for event in traced.capture.events]
    hiding = (
        event.outputs[0]
        for event, operation in zip(traced.capture.events, operations, strict=True)
        if isinstance(operation, Softmax) and operation.masked
    )
    masks = Masks(traced.capture, frozenset(hiding))
    tracks = [track for value in traced.inputs for track in _tracks(traced, value, masks)]
    live, done = _live(traced), _last_read(traced)
    kinds = kinds_of(traced.capture, operations, masks)
    for place, (event, operation, kind) in enumerate(zip(traced.capture.events, operations, kinds, strict=True)):
        if event.outputs and (event.function != OVERLAY or event.outputs[0] in live):
            for track in tracks:
                _follow(track, event, operation, kind)
            look(place, event, tracks)
        for value in done.get(place, ()):
            if value not in kept:
                for track in tracks:
                    track.forget(value)
    return [
        track for value in traced.inputs for track in _chosen([one for one in tracks if one.value == value], traced)
    ]


def _live(traced: Traced) -> set[int]:
    """Values that something reads; most views that are renewed after a write are not looked at again."""
    live = set(traced.outputs)
    for event in reversed(traced.capture.events):
        if event.function != OVERLAY or event.outputs[0] in live:
            live.update(event.refs())
    return live


def _last_read(traced: Traced) -> dict[int, list[int]]:
    """Values by the place of the last event that reads them, or that makes them when nothing does."""
    last: dict[int, int] = {}
    for place, event in enumerate(traced.capture.events):
        last.update(dict.fromkeys((*event.outputs, *event.refs()), place))
    places: dict[int, list[int]] = {}
    for value, place in last.items():
        places.setdefault(place, []).append(value)
    return places


def _tracks(traced: Traced, value: int, masks: Masks) -> Iterator[Track]:
    shape = traced.capture.values[value].shape
    places: Places = {}
    repeats = Repeats()
    for axis in range(1 if len(shape) < 4 else 2, len(shape)):
        start = Along(axis, (PIXELS,)) if shape[axis] > 1 else Fixed(0, 0, pooled=False)
        scenes = [
            Scene(
                capture=traced.capture,
                pixels=shape[axis],
                policy=policy,
                sights={value: start},
                places=places,
                repeats=repeats,
                masks=masks,
            )
            for policy in POLICIES
        ]
        local, full, least = scenes
        yield Track(value, axis, local, full, least, {value} if shape[axis] > 1 else set())


def _follow(track: Track, event: Event, operation: Operation, kind: int | None) -> None:
    read = [value for value in event.refs() if value in track.local.sights]
    if not read:
        return
    local = track.local.sights
    made = _carry(track.local, event, operation, kind)
    track.moving.update(value for value, sight in made if not isinstance(sight, Fixed))
    for scene in (track.full, track.least):
        same = all(scene.sights.get(value) is local[value] for value in read)
        if same and not _differs(scene.policy, operation, [local[value] for value in read]):
            for value, sight in made:
                scene.sights[value] = sight
        else:
            _carry(scene, event, operation, kind)


def _differs(policy: Policy, operation: Operation, read: Sequence[Sight]) -> bool:
    """An operation that may treat the same inputs differently."""
    if isinstance(operation, Normalisation):
        return policy == "full" and (operation.kind != "batch" or operation.batch_statistics)
    if policy == "least":
        return len(read) > 1
    return isinstance(operation, Arithmetic | Concatenate) or (
        len(read) > 1 and any(isinstance(one, Fixed) for one in read)
    )


def _carry(scene: Scene, event: Event, operation: Operation, kind: int | None) -> list[tuple[int, Sight]]:
    read = [scene.sights.get(value) for value in event.refs()]
    key = None if kind is None else (kind, scene.policy, scene.pixels, *map(name_of, read))
    seen = None if key is None else scene.repeats.known.get(key)
    if seen is None:
        seen = seen_after(scene, event, operation)
        if key is not None:
            scene.repeats.add(key, read, seen)
    made = [(value, sight) for value, sight in zip(event.outputs, seen, strict=True) if sight is not None]
    scene.sights.update(made)
    return made


def _chosen(tracks: list[Track], traced: Traced) -> list[Track]:
    """Of the two readings of an input of rank 3 the one whose axis lives longer; both where they live equally long."""
    if len(tracks) != 2 or len(traced.capture.values[tracks[0].value].shape) != 3:
        return tracks
    lives = [len(track.moving) for track in tracks]
    if lives[0] == lives[1]:
        return tracks
    return [tracks[0] if lives[0] > lives[1] else tracks[1]]


class _Known:
    """Fields that were described before, by what they were described from.

    That is told by identity, so it is held on to; of long lists only the last few, which are what comes again.
    """

    LISTS = 4

    def __init__(self) -> None:
        self.fields: dict[tuple[int, ...], tuple[AxisField, tuple[Sight, ...]]] = {}
        self.lists: list[tuple[int, ...]] = []

    def get(self, sights: tuple[Sight, Sight, Sight], shape: Shape, pixels: int) -> AxisField:
        key = (*map(id, sights), pixels, *shape)
        found = self.fields.get(key)
        if found is None:
            found = self.fields[key] = _described(sights[0], sights[1], sights[2], shape, pixels), sights
            if any(isinstance(one, Each) for one in sights):
                self.lists.append(key)
                if len(self.lists) > self.LISTS:
                    del self.fields[self.lists.pop(0)]
        return found[0]


def _axis_field(track: Track, value: int, known: _Known) -> AxisField | None:
    shape = track.local.capture.values[value].shape
    local = track.local.sights.get(value)
    full = track.full.sights.get(value, local)
    if full is None:
        return None
    local = full if local is None else local
    least = track.least.sights.get(value, local)
    return known.get((local, full, local if least is None else least), shape, track.local.pixels)


def _described(local: Sight, full: Sight, least: Sight, shape: Shape, pixels: int) -> AxisField:
    size = size_of(local, shape, pixels)
    start, stride, uneven, aligned = _moving(local, shape, pixels)
    whole = isinstance(local, Fixed) and (local.pooled or (local.low <= 0 and local.high >= pixels - 1))
    return AxisField(
        size=size,
        full=max(size, size_of(full, shape, pixels)),
        least=min(size, size_of(least, shape, pixels)),
        stride=stride,
        start=start,
        everywhere=whole,
        per_unit=uneven,
        exact=local.exact > BOUND,
        exact_at_border=local.exact == EVERYWHERE,
        aligned=local.aligned and aligned,
        pixels=pixels,
    )


def _moving(local: Sight, shape: Shape, pixels: int) -> tuple[Fraction | None, Fraction | None, bool, bool]:
    """First pixel of unit 0, stride, whether units differ in size, and whether branches side by side are aligned."""
    if isinstance(local, Fixed):
        return Fraction(local.low), None, False, True
    if isinstance(local, Along):
        one = merged(local)
        if one is not None and (phases := one.palette[0]) is not None:
            low = phases.lows[0]
            sizes = phases.sizes(shape[one.dim])
            return (Fraction(low) if abs(low) < EMPTY else None), phases.stride, len(set(sizes)) > 1, one.aligned
    lows, _ = listed(local, shape, pixels)
    first = int(lows.reshape(-1)[0])
    return (Fraction(first) if first < EMPTY else None), None, True, not isinstance(local, Along)
