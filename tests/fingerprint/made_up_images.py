"""Small images whose label depends on one thing alone; everything else varies by lot.

Each set says which changes the label does not survive. Sizes, places, brightness and noise vary wherever they are not
the label, as they do in real images: what never varies would be taken for a sign.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.records.deep_facts import Transform

SIDE = 24

Numbers = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class MadeUp:
    """One set: its name, how it is drawn, and what the label does not survive."""

    name: str
    draw: Callable[[Classes, np.random.Generator], npt.NDArray[np.uint8]]
    classes: int
    lost: frozenset[Transform]

    def sample(self, count: int, seed: int) -> tuple[npt.NDArray[np.uint8], Classes]:
        """Pixels (count, 24, 24, 1 or 3) and labels."""
        random = np.random.default_rng(seed)
        labels = random.integers(0, self.classes, count)
        return self.draw(labels, random), labels


def _places(count: int, random: np.random.Generator, jitter: float = 3.0) -> tuple[Numbers, Numbers]:
    """Across and down from a centre that varies, (count, 24, 24) each."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    dx, dy = random.uniform(-jitter, jitter, (2, count, 1, 1))
    return x - dx, y - dy


def _turned(across: Numbers, down: Numbers, angle: Numbers, size: Numbers) -> tuple[Numbers, Numbers]:
    c, s = np.cos(angle)[:, None, None], np.sin(angle)[:, None, None]
    size = size[:, None, None]
    return (c * across + s * down) / size, (c * down - s * across) / size


def _inside(distance: Numbers, ramp: float | Numbers = 1.0) -> Numbers:
    """1 inside, 0 outside, a ramp of so many pixels between."""
    return np.clip(0.5 - distance / ramp, 0, 1)


def _box(across: Numbers, down: Numbers, x: float, y: float, half_x: float, half_y: float) -> Numbers:
    return np.maximum(np.abs(across - x) - half_x, np.abs(down - y) - half_y)


def _gray(shape: Numbers, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """The shape brighter than its ground, both by lot, with noise."""
    count = len(shape)
    ground, contrast = random.uniform(20, 60, (count, 1, 1)), random.uniform(100, 180, (count, 1, 1))
    return _bytes(ground + shape * contrast + random.normal(0, 12, shape.shape))[..., None]


def _bytes(values: Numbers) -> npt.NDArray[np.uint8]:
    return np.clip(values, 0, 255).astype(np.uint8)


def _chirality(labels: Classes, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """S or Z, turned by any angle."""
    count = len(labels)
    across, down = _places(count, random)
    across, down = _turned(across, down, random.uniform(0, 2 * np.pi, count), random.uniform(0.9, 1.2, count))
    across = across * (1 - 2 * labels)[:, None, None]
    ends = np.minimum(_box(across, down, 2.4, -4.8, 2.4, 1.2), _box(across, down, -2.4, 4.8, 2.4, 1.2))
    return _gray(_inside(np.minimum(_box(across, down, 0, 0, 1.2, 6), ends)), random)


def _orientation(labels: Classes, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A bar that lies or stands."""
    count = len(labels)
    across, down = _places(count, random)
    angle = labels * np.pi / 2 + random.normal(0, 0.15, count)
    return _gray(_inside(_box(*_turned(across, down, angle, random.uniform(0.8, 1.2, count)), 0, 0, 6, 2)), random)


def _lean(labels: Classes, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A bar that stands, leaning 10 degrees to one side, to the other, or not."""
    count = len(labels)
    across, down = _places(count, random)
    angle = np.pi / 2 + np.deg2rad(10) * (labels - 1) + random.normal(0, 0.04, count)
    return _gray(_inside(_box(*_turned(across, down, angle, random.uniform(0.8, 1.2, count)), 0, 0, 9, 1.5)), random)


def _side(labels: Classes, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A disc left or right of the middle."""
    across, down = _places(len(labels), random)
    across = across - (10 * labels - 5)[:, None, None]
    return _gray(_inside(np.hypot(across, down) - random.uniform(2, 4, (len(labels), 1, 1))), random)


def _size(labels: Classes, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Discs of three radii, 15 % apart."""
    across, down = _places(len(labels), random)
    radius = 5 * 1.15**labels * random.uniform(0.98, 1.02, len(labels))
    return _gray(_inside(np.hypot(across, down) - radius[:, None, None]), random)


def _colour(labels: Classes, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Discs of three colours that are about as bright."""
    count = len(labels)
    across, down = _places(count, random)
    shape = _inside(np.hypot(across, down) - random.uniform(4, 8, (count, 1, 1)))[..., None]
    colours = np.array([[200, 90, 90], [90, 160, 90], [90, 90, 255]])[labels] * random.uniform(0.7, 1, (count, 1))
    ground = random.uniform(40, 70, (count, 1, 1, 1))
    return _bytes(ground + shape * (colours[:, None, None] - ground) + random.normal(0, 12, (count, SIDE, SIDE, 3)))


def _brightness(labels: Classes, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Three levels of the ground, less far apart than it is from the disc on it."""
    count = len(labels)
    across, down = _places(count, random)
    shape = _inside(np.hypot(across, down) - random.uniform(4, 8, (count, 1, 1)))
    ground = (40 + 20 * labels + random.uniform(-3, 3, count))[:, None, None]
    return _bytes(ground + shape * random.uniform(100, 140, (count, 1, 1)) + random.normal(0, 12, shape.shape))[
        ..., None
    ]


def _sharpness(labels: Classes, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Discs with an edge of one pixel or of two."""
    count = len(labels)
    across, down = _places(count, random)
    edge = (1.0 + labels)[:, None, None]
    shape = _inside(np.hypot(across, down) - random.uniform(4, 8, (count, 1, 1)), edge)
    return _bytes(random.uniform(20, 60, (count, 1, 1)) + shape * random.uniform(100, 180, (count, 1, 1)))[..., None]


def _nothing(labels: Classes, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A disc, a ring or two discs: anywhere, of any size, angle, colour and edge."""
    count = len(labels)
    size = random.uniform(0.75, 1.25, count)
    across, down = _turned(*_places(count, random, 2.0), random.uniform(0, 2 * np.pi, count), size)
    disc = np.hypot(across, down) - 6
    ring = np.maximum(disc, 3 - np.hypot(across, down))
    two = np.minimum(np.hypot(across - 4, down), np.hypot(across + 4, down)) - 3.2
    chosen = np.choose(labels[:, None, None], [disc, ring, two]) * size[:, None, None]
    shape = _inside(chosen, random.uniform(0.8, 2, (count, 1, 1)))[..., None]
    colours, grounds = random.uniform(90, 255, (count, 1, 1, 3)), random.uniform(20, 80, (count, 1, 1, 3))
    return _bytes(grounds + shape * (colours - grounds) + random.normal(0, 8, (count, SIDE, SIDE, 3)))


ALL = (
    MadeUp("chirality", _chirality, 2, frozenset({"flip-horizontal", "flip-vertical"})),
    MadeUp("orientation", _orientation, 2, frozenset({"quarter-turns"})),
    MadeUp("lean", _lean, 3, frozenset({"flip-horizontal", "flip-vertical", "rotation"})),
    MadeUp("side", _side, 2, frozenset({"flip-horizontal", "quarter-turns"})),
    MadeUp("size", _size, 3, frozenset({"scale"})),
    MadeUp("colour", _colour, 3, frozenset({"gray"})),
    MadeUp("brightness", _brightness, 3, frozenset({"brightness"})),
    # Sampling between pixels blurs as well, and an edge is as wide as the scale makes it.
    MadeUp("sharpness", _sharpness, 2, frozenset({"blur", "rotation", "scale"})),
    MadeUp("nothing", _nothing, 3, frozenset()),
)
