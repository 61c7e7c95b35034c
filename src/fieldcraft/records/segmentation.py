"""Facts of images with masks: shapes, spacings, classes, the extent of objects, and which mirrorings are right."""

from typing import Literal

from pydantic.dataclasses import dataclass

from fieldcraft.records.fact import Fact

Unit = Literal["mm", "px"]
Axes = tuple[float, ...]
"""One number for each spatial axis, in the order of the arrays."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How some numbers are distributed."""

    least: float
    low: float
    """10th percentile."""
    median: float
    high: float
    """90th percentile."""
    most: float


@dataclass(frozen=True, kw_only=True)
class Intensity:
    """Values of one channel, in stored units."""

    mean: float
    std: float
    low: float
    """0.5th percentile."""
    median: float
    high: float
    """99.5th percentile."""


@dataclass(frozen=True, kw_only=True)
class ClassFacts:
    """What one class looks like in the masks that were looked at."""

    name: str
    share: float
    """Of all voxels that carry a label."""
    cases: float
    """Share of the cases in which it occurs."""
    objects: Spread | None
    """Connected objects a case, among cases that have any (full connectivity); None where none was seen, and for a
    background that fills most of the cases. Specks of less than a thousandth of the case's largest object of the class
    are not counted."""
    extent_px: tuple[Spread, ...]
    """Sides of the boxes around connected objects, in voxels, an entry an axis; empty where `objects` is None."""
    extent_mm: tuple[Spread, ...]
    """The same in millimetres (in pixels where nothing is known of the spacing)."""
    boundary: float | None
    """Median over cases of the share of its voxels that touch another class or the frame by a face."""
    intensity: tuple[Intensity, ...]
    """Within the class, an entry a channel; empty where none was seen."""
    centre: Axes
    """Mean place of its centre, as a share of each axis; empty where none was seen."""
    centre_std: Axes


@dataclass(frozen=True, kw_only=True)
class Mirror:
    """Whether labels survive a mirroring along one axis, as far as masks alone can tell."""

    axis: int
    survives: Literal["yes", "no", "cannot-tell"]
    """"no": two classes of like size and look sit on opposite sides of each other, so that only the side tells them
    apart; "yes": no class keeps to one side; else masks cannot tell, and a probe would have to."""
    because: str


@dataclass(frozen=True, kw_only=True)
class CaseFacts:
    """What images with masks look like. Axes are in the order of the arrays; for NIfTI x, y, z, for pictures y, x."""

    kind: Literal["cases"] = "cases"
    spatial: Literal[1, 2, 3]
    """Number of spatial axes."""
    channels: int
    channel_names: tuple[str, ...]
    """Where the source names them (CT, T1, ...); else empty."""
    unit: Unit
    """Of the spacing: millimetres, or pixels where nothing is known of it."""
    orientations: tuple[str, ...]
    """Codes such as RAS that occur; empty for pictures."""
    shape: Fact[tuple[Spread, ...]]
    """Voxels along each axis."""
    spacing: Fact[tuple[Spread, ...]]
    """Between the centres of voxels along each axis, in `unit`."""
    anisotropy: Fact[float]
    """Largest median spacing over the smallest."""
    intensity: Fact[tuple[Intensity, ...]]
    """Of all voxels, an entry a channel, every case counting alike."""
    foreground: Fact[tuple[Intensity, ...]]
    """Of voxels of any class but the first (the background), every case counting alike; empty where none was seen."""
    classes: Fact[tuple[ClassFacts, ...]]
    """In the order of class ids; the background is the first."""
    void: Fact[float]
    """Share of voxels that carry no label."""
    mirrors: Fact[tuple[Mirror, ...]]
    """An entry an axis."""
    memory_mib: Fact[float]
    """All images as float32 and masks as bytes."""
    largest_mib: Fact[float]
    """The same of the largest case."""
    scales: Fact[tuple[float, ...]] | None = None
    """An entry a channel: 90th percentile over the cases of the deviation within a case, over the 10th. Near 1: all
    cases share one scale, as in CT; far above: each has its own, as in MR. None for fewer than two cases."""
    within_volume: bool = False
    """Whether training and test are slices of one volume: the result then says nothing of another volume."""
