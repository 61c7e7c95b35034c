"""Which random changes patches may undergo, and how much."""

from dataclasses import dataclass, fields

FOLDS_ABOVE = 0.4
"""Of the distance between knots: a cubic B-spline whose knots move less along each axis of a volume never folds, and
one with fewer axes may move more (Choi and Lee 2000, Graphical Models 62)."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """Changes of image and mask together. Everything is 0 at first: nothing changes.

    Axes are those of the volume, from 0. A picture has one plane to turn in, that of axis 0.
    """

    flip: tuple[int, ...] = ()
    """Axes along which half of the patches are mirrored. Wrong where labels tell left from right."""
    quarter_turns: tuple[int, ...] = ()
    """Axes about which patches are turned by 0 to 3 quarters, without sampling between voxels; the two others need
    equal sides and should have equal spacing."""
    rotate_deg: float = 0.0
    """Largest angle in each direction, about the axes in `turn_about`."""
    turn_about: tuple[int, ...] = ()
    """Of a volume with thick slices only the axis that they are stacked along: other turns mix slices."""
    shear: float = 0.0
    """Largest tangent of a slant, in the same planes."""
    scale: float = 0.0
    """Largest relative change of size in each direction."""
    stretch: float = 0.0
    """The same, of each axis by itself."""
    elastic: float = 0.0
    """Largest shift of the knots of a smooth deformation along each axis, in voxels of the finest axis."""
    knots: float = 16.0
    """Distance between knots, in voxels of the finest axis; `elastic` may be at most 0.4 of it, so nothing folds."""
    share: float = 0.2
    """Probability of each of: being turned and slanted, scaled and stretched, deformed."""

    def __post_init__(self) -> None:
        _within(self, "share", 1)
        for name in ("scale", "stretch"):
            _within(self, name, 0.99)
        for name in ("rotate_deg", "shear", "elastic"):
            _within(self, name, float("inf"))
        if self.elastic > FOLDS_ABOVE * self.knots:
            raise ValueError(
                f"`elastic <= {FOLDS_ABOVE} knots` must hold, or images fold over: {self.elastic} is too much for "
                f"knots that are {self.knots} voxels apart."
            )

    @property
    def samples_between(self) -> bool:
        """Whether anything is asked for that needs sampling between voxels."""
        turns = bool(self.turn_about) and (self.rotate_deg > 0 or self.shear > 0)
        return self.share > 0 and (turns or self.scale > 0 or self.stretch > 0 or self.elastic > 0)


@dataclass(frozen=True, kw_only=True)
class Look:
    """Changes of intensities alone, of each channel by itself unless said otherwise; for images of deviation 1."""

    noise: float = 0.0
    """Largest deviation of Gaussian noise."""
    blur: float = 0.0
    """Largest deviation of a Gaussian blur, in voxels of the finest axis; all channels alike."""
    brightness: float = 0.0
    """Largest shift in each direction."""
    contrast: float = 0.0
    """Largest relative change of the distances from the patch's mean, in each direction."""
    low_resolution: float = 0.0
    """Largest coarsening: up to 1 + this times the finest spacing, and back; axes that are coarser stay. All channels
    alike."""
    gamma: float = 0.0
    """Largest relative change of an exponent over the patch's range, which keeps mean and deviation; half of the time
    of the negative."""
    share: float = 0.15
    """Probability of each."""

    def __post_init__(self) -> None:
        _within(self, "share", 1)
        _within(self, "contrast", 1)
        for name in ("noise", "blur", "brightness", "low_resolution", "gamma"):
            _within(self, name, float("inf"))

    @property
    def nothing(self) -> bool:
        """Whether images stay as they are."""
        return self.share == 0 or not any(getattr(self, one.name) for one in fields(self) if one.name != "share")


def _within(value: Shape | Look, name: str, most: float) -> None:
    number = getattr(value, name)
    if not 0 <= number <= most:
        raise ValueError(f"`0 <= {name} <= {most:g}` must hold, but got {number}.")
