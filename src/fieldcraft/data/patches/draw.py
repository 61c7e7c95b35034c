"""Where patches lie: a stated share around voxels of the classes in turn, the rest anywhere; any step on its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor

import numpy as np

from fieldcraft.data.order import Order
from fieldcraft.data.patches.volume import Volume
from fieldcraft.records.streams import stream_seed


@dataclass(frozen=True)
class Place:
    """Where a patch begins."""

    case: int
    """Index of the volume."""
    start: tuple[int, ...]
    """First voxel along each axis; negative where the patch is larger than the volume, which then lies in its
    middle."""
    around: int | None
    """The class of the voxel that it was centred on; None: it lies anywhere."""


@dataclass(frozen=True, eq=False)
class Draw:
    """Patches of exactly `patch` voxels, `batch` a step.

    Of all samples, counted through all steps, exactly every (1 / `foreground`)th is centred on a voxel of a class of
    the foreground: the classes take turns, so that a rare one comes up as often as a common one, and so do, within a
    class, the volumes that have it. The others take turns through all volumes and lie anywhere, uniformly. A patch
    never reaches beyond the border of a volume that is large enough for it; around a voxel near the border it is
    moved inside. Which volume comes when depends on (seed, "order", name), where in it on (seed, "patches", name,
    step).
    """

    volumes: Sequence[Volume]
    patch: tuple[int, ...]
    batch: int
    foreground: float
    """Share of samples, 0 to 1; without effect where no volume has a class of the foreground."""
    seed: int
    name: str
    classes: tuple[int, ...] = ()
    """The foreground; empty: every class but 0."""
    _turns: dict[int | None, Order] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        spatial = {len(one.shape) for one in self.volumes}
        if spatial != {len(self.patch)} or min(self.patch) < 1:
            raise ValueError(
                f"`patch` must have a side of at least 1 for each axis of the volumes, but got {self.patch} for "
                f"{sorted(spatial)} axes."
            )
        if self.batch < 1 or not 0 <= self.foreground <= 1:
            raise ValueError(
                f"`batch >= 1` and `0 <= foreground <= 1` must hold, but got {self.batch} and {self.foreground}."
            )
        there = sorted({label for one in self.volumes for label in one.places})
        wanted = [label for label in there if (label in self.classes if self.classes else label != 0)]
        turns: dict[int | None, Order] = {None: self._order(range(len(self.volumes)), self.name)}
        for label in wanted:
            having = [index for index, one in enumerate(self.volumes) if label in one.places]
            turns[label] = self._order(having, f"{self.name}/class-{label}")
        object.__setattr__(self, "_turns", turns)

    def _order(self, rows: Sequence[int], name: str) -> Order:
        return Order(np.array(rows, np.int64), 1, self.seed, name)

    def at(self, step: int) -> tuple[Place, ...]:
        """The patches of optimiser step `step` (from 0), the same whenever it is asked for."""
        numbers = np.random.default_rng(stream_seed(self.seed, "patches", self.name, step)).random(
            (self.batch, 1 + len(self.patch))
        )  # always as many, so that another share of foreground moves no other patch
        return tuple(
            self._place(step * self.batch + index, float(own[0]), own[1:].tolist()) for index, own in enumerate(numbers)
        )

    def _place(self, sample: int, which: float, where: Sequence[float]) -> Place:
        labels = [label for label in self._turns if label is not None]
        before = floor(sample * self.foreground) if labels else 0
        if labels and floor((sample + 1) * self.foreground) > before:
            label = labels[before % len(labels)]
            case = int(self._turns[label].at(before // len(labels))[0])
            volume = self.volumes[case]
            places = volume.places[label]
            voxel = np.unravel_index(int(places[int(which * len(places))]), volume.shape)
            start = tuple(
                _inside(int(middle) - side // 2, side, length)
                for middle, side, length in zip(voxel, self.patch, volume.shape, strict=True)
            )
            return Place(case, start, label)
        case = int(self._turns[None].at(sample - before)[0])
        start = tuple(
            _inside(int(number * (length - side + 1)), side, length)
            for number, side, length in zip(where, self.patch, self.volumes[case].shape, strict=True)
        )
        return Place(case, start, None)


def _inside(first: int, side: int, length: int) -> int:
    """The nearest place at which a patch lies inside; in the middle where it is larger than the volume."""
    if side >= length:
        return -((side - length) // 2)
    return min(max(0, first), length - side)
