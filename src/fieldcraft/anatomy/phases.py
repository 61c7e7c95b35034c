"""Receptive fields that repeat: intervals of input pixels for units 0, 1, 2, ..., exact in whole numbers.

Unit `j` sees pixels `lows[j mod P] + (j div P) * step` to `highs[j mod P] + (j div P) * step`, inside of the input or
not. A layer is written the same way (`Taps`: which units of the map before it a unit reads), and both compose.

Source: Araujo, Norris and Sim 2019, doi:10.23915/distill.00021, carried over to strides that are fractions.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, gcd, lcm

MOST_PHASES = 4096
EMPTY = 1 << 40
"""First pixel of a unit that sees nothing; its last is `-EMPTY`."""


@dataclass(frozen=True, slots=True)
class Phases:
    """What the units of a map see along one axis."""

    lows: tuple[int, ...]
    highs: tuple[int, ...]
    step: int

    def at(self, unit: int) -> tuple[int, int]:
        """First and last pixel of a unit."""
        turns, phase = divmod(unit, len(self.lows))
        return self.lows[phase] + turns * self.step, self.highs[phase] + turns * self.step

    @property
    def period(self) -> int:
        """Units after which it repeats."""
        return len(self.lows)

    @property
    def stride(self) -> Fraction | None:
        """Pixels between neighbouring units; None where units do not move over the input."""
        return Fraction(self.step, len(self.lows)) if self.step else None

    def sizes(self, units: int) -> list[int]:
        """Pixels that the first of each kind of unit sees, of so many units; those that see nothing are left out."""
        shown = min(units, len(self.lows))
        return [high - low + 1 for low, high in zip(self.lows[:shown], self.highs[:shown], strict=True) if low <= high]

    @property
    def centre(self) -> Fraction:
        """Middle of a period of units."""
        seen = [low + high for low, high in zip(self.lows, self.highs, strict=True) if low <= high]
        return Fraction(sum(seen), 2 * len(seen)) if seen else Fraction(0)


@dataclass(frozen=True, slots=True)
class Taps:
    """What the units of a layer read along one axis: `counts[phase]` units, `dilation` apart."""

    firsts: tuple[int, ...]
    counts: tuple[int, ...]
    step: int
    dilation: int = 1
    clamped: bool = False
    """Beyond the map the last unit is read again (resize); otherwise there is nothing (padding)."""

    def at(self, unit: int) -> tuple[int, int]:
        """First unit that is read, and how many."""
        turns, phase = divmod(unit, len(self.firsts))
        return self.firsts[phase] + turns * self.step, self.counts[phase]


PIXELS = Phases((0,), (0,), 1)
"""The input itself."""


@lru_cache(maxsize=4096)
def compose(seen: Phases, taps: Taps) -> Phases | None:
    """What the units of a layer see through a map; None beyond `MOST_PHASES`."""
    turns = seen.period // gcd(seen.period, abs(taps.step))
    period = len(taps.firsts) * turns
    if period > MOST_PHASES:
        return None
    ends = _ends(seen)
    pairs = [_through(seen, *taps.at(unit), taps.dilation, ends) for unit in range(period)]
    step = turns * taps.step // seen.period * seen.step
    return reduced(Phases(tuple(low for low, _ in pairs), tuple(high for _, high in pairs), step))


def _ends(seen: Phases) -> int:
    """How many taps at each end decide about the extremes: one where intervals only move on, else a period."""
    for values in (seen.lows, seen.highs):
        following = (*values[1:], values[0] + seen.step)
        moves = [after - before for before, after in zip(values, following, strict=True)]
        if min(moves) < 0 < max(moves):
            return seen.period
    return 1


def _through(seen: Phases, first: int, count: int, dilation: int, ends: int) -> tuple[int, int]:
    places: Iterable[int] = range(count) if count <= 2 * ends else (*range(ends), *range(count - ends, count))
    read = [seen.at(first + place * dilation) for place in places]
    return min((low for low, _ in read), default=EMPTY), max((high for _, high in read), default=-EMPTY)


def reduced(seen: Phases) -> Phases:
    """The same with the shortest period."""
    period = seen.period
    for short in range(1, period // 2 + 1):
        if period % short or seen.step * short % period:
            continue
        step = seen.step * short // period
        if all(
            seen.lows[at] == seen.lows[at - short] + step and seen.highs[at] == seen.highs[at - short] + step
            for at in range(short, period)
        ):
            return Phases(seen.lows[:short], seen.highs[:short], step)
    return seen


@lru_cache(maxsize=4096)
def hull(first: Phases, second: Phases) -> Phases | None:
    """The union's hull of two branches of equal stride; None where strides differ or the period gets too long."""
    if first == second:
        return first
    period = lcm(first.period, second.period)
    if first.step * second.period != second.step * first.period or period > MOST_PHASES:
        return None
    pairs = [(first.at(unit), second.at(unit)) for unit in range(period)]
    return reduced(
        Phases(
            tuple(min(one[0], other[0]) for one, other in pairs),
            tuple(max(one[1], other[1]) for one, other in pairs),
            first.step * (period // first.period),
        )
    )


def reach(taps: Taps, units: int) -> tuple[int, int]:
    """First and last unit that any of the units of a layer reads."""
    ends = {*range(min(units, len(taps.firsts))), *range(max(0, units - len(taps.firsts)), units)}
    read = [(first, first + (count - 1) * taps.dilation) for first, count in map(taps.at, ends) if count]
    return min((low for low, _ in read), default=0), max((high for _, high in read), default=-1)


@lru_cache(maxsize=1024)
def window(kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Taps:
    """A convolution or a pooling."""
    return Taps((-padding,), (kernel,), stride, dilation)


@lru_cache(maxsize=1024)
def transposed(kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Taps:
    """A transposed convolution: output `i * stride - padding + t * dilation` reads input `i`."""
    firsts, counts = [], []
    for unit in range(stride):
        taps = [tap for tap in range(kernel) if (unit + padding - tap * dilation) % stride == 0]
        firsts.append((unit + padding - taps[-1] * dilation) // stride if taps else 0)
        counts.append(len(taps))
    return Taps(tuple(firsts), tuple(counts), 1, dilation // gcd(dilation, stride))


@lru_cache(maxsize=1024)
def adaptive(before: int, after: int) -> Taps:
    """Adaptive pooling."""
    common = gcd(before, after)
    units = range(after // common)
    firsts = tuple(unit * before // after for unit in units)
    lasts = tuple(ceil(Fraction((unit + 1) * before, after)) for unit in units)
    return Taps(firsts, tuple(last - first for first, last in zip(firsts, lasts, strict=True)), before // common)


@lru_cache(maxsize=1024)
def resized(mode: str, scale: Fraction, *, corners: bool = False, antialias: bool = False) -> Taps:
    """Interpolation; `scale` is pixels before per pixel after, (before - 1) / (after - 1) with aligned corners."""
    pairs = [_resized_unit(mode, scale, unit, corners, antialias) for unit in range(scale.denominator)]
    return Taps(
        tuple(first for first, _ in pairs), tuple(count for _, count in pairs), scale.numerator, 1, clamped=True
    )


def _resized_unit(mode: str, scale: Fraction, unit: int, corners: bool, antialias: bool) -> tuple[int, int]:
    if mode == "nearest":
        return floor(unit * scale), 1
    if mode == "nearest-exact":
        return floor((unit + Fraction(1, 2)) * scale), 1
    aligned = corners and not antialias  # PyTorch's antialiased kernels only take the scale over
    place = unit * scale if aligned else (unit + Fraction(1, 2)) * scale - Fraction(1, 2)
    if antialias:
        return _antialiased(place, max(scale, Fraction(1)), 1 if mode == "linear" else 2)
    if place.denominator == 1:
        return int(place), 1
    return (floor(place), 2) if mode == "linear" else (floor(place) - 1, 4)


def _antialiased(place: Fraction, stretch: Fraction, support: int) -> tuple[int, int]:
    """Pixels where a stretched filter is not zero: within its support, and for the cubic not at distance one."""
    ends = floor(place - support * stretch), ceil(place + support * stretch)
    inside = [
        pixel
        for pixel in range(ends[0], ends[1] + 1)
        if (away := abs(pixel - place) / stretch) < support and (support == 1 or away != 1)
    ]
    return inside[0], inside[-1] - inside[0] + 1
