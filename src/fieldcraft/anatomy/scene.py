"""Where a rule stands: one axis of one input looked at in one way, and the event that is looked at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fieldcraft.anatomy.capture import Capture, Event, Ref
from fieldcraft.anatomy.joins import Policy, join
from fieldcraft.anatomy.masks import Masks
from fieldcraft.anatomy.operations import arguments
from fieldcraft.anatomy.repeats import Repeats
from fieldcraft.anatomy.sights import Along, Each, Shape, Sight, bound
from fieldcraft.anatomy.structure import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One axis of one input, looked at in one way."""

    capture: Capture
    pixels: int
    policy: Policy
    sights: dict[int, Sight] = field(default_factory=dict)
    places: Places = field(default_factory=dict)
    repeats: Repeats = field(default_factory=Repeats)
    masks: Masks


@dataclass(frozen=True, slots=True)
class Here:
    """An event in a scene."""

    scene: Scene
    event: Event

    def shape(self, value: int) -> Shape:
        """Of a value."""
        return self.scene.capture.values[value].shape

    @property
    def pixels(self) -> int:
        """Length of the axis."""
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
        """Element by element, to the shape of the first output."""
        return join(parts, self.after, self.pixels, self.scene.policy)


Result = Sight | None | list[Sight | None]


def first_of(here: Here) -> tuple[Sight | None, Shape]:
    """The tensor that the operation is about."""
    return here.part(next((one for one in here.event.args if isinstance(one, Ref)), None))


def axes_of(sight: Sight) -> list[int]:
    """Dimensions along which something changes with the unit."""
    if isinstance(sight, Along):
        return [sight.dim]
    if isinstance(sight, Each):
        return [dim for dim, side in enumerate(sight.low.shape) if side > 1]
    return []


def with_statistics(sight: Sight | None, here: Here) -> list[Sight | None]:
    """Mean and deviation come with a norm, and are seldom read."""
    return [sight] + [None if sight is None else bound(here.pixels)] * (len(here.event.outputs) - 1)


def reshaped(sight: Sight | None, change: Callable[[Any], Any]) -> Sight | None:
    """With a change of the arrays, if there are any."""
    if isinstance(sight, Each):
        return replace(sight, low=change(sight.low), high=change(sight.high))
    if isinstance(sight, Along) and sight.labels is not None:
        return replace(sight, labels=change(sight.labels))
    return sight


def unknown(here: Here, operation: Any) -> Result:
    """No rule: everything."""
    return bound(here.pixels) if any(sight is not None for sight, _ in here.parts) else None
