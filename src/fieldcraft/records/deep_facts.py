"""Deep facts: what takes a probe, a distance matrix or a persistence diagram to find out about the samples."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fieldcraft.records.fact import Fact

Transform = Literal[
    "flip-horizontal",
    "flip-vertical",
    "quarter-turns",
    "rotation",
    "translation",
    "scale",
    "gray",
    "contrast",
    "brightness",
    "blur",
]
Survives = Literal["yes", "no", "cannot-tell"]

ROTATION_DEG = 15.0
"""Largest angle of "rotation", in each direction."""
TRANSLATION = 0.1
"""Largest shift of "translation", as a share of the shorter side; whole pixels, one at least."""
SCALE = 0.15
"""Largest relative change of size of "scale", in each direction."""
CONTRAST = 0.3
"""Largest relative change of the distances from an image's mean."""
BRIGHTNESS = 0.5
"""Largest shift of all pixels alike, in deviations of all pixels of the set."""
BLUR = 0.04
"""Largest deviation of the Gaussian of "blur", as a share of the shorter side; the smallest is a third of it."""


@dataclass(frozen=True, kw_only=True)
class Symmetry:
    """Whether the label survives one change of the image."""

    transform: Transform
    survives: Survives
    """"yes": a probe trained with it is not worse by more than the margin, and reads the label off changed samples too;
    "no": it is worse, or cannot read it; else the data cannot tell, nor can a few hundred of many samples say "yes"."""
    gain: float
    """Accuracy on untouched validation samples with the change minus without, as a share; a mean over seeds. For
    several labels, the share of labels that are right; for regression, R2."""
    low: float
    """Lower end of the interval of the gain."""
    high: float
    margin: float
    """Loss of accuracy that counts as none; its rule was fixed before anything was measured."""
    kept: float | None = None
    """What the probe trained with it gets right of changed validation samples beyond what guessing does, as a share of
    what one trained without gets right of untouched ones. Near 0: the change wipes the label out."""


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Where in the frame the objects are, and how large."""

    extent: Fact[tuple[float, float, float]]
    """10th, 50th and 90th percentile of the longer side of the object's box, in pixels."""
    share: Fact[float]
    """Median share of the frame that the object covers."""
    spread: Fact[tuple[float, float]]
    """Deviation of the object's centre across and down, as shares of width and height."""


@dataclass(frozen=True, kw_only=True)
class ClassBetti:
    """Holes of one class that stand out from the null."""

    name: str
    components: int
    """Betti number 0: pieces that stand apart more than chance would part them."""
    loops: int
    """Betti number 1: loops that live longer than those of the null."""
    samples: int
    """What was looked at, of this class."""


@dataclass(frozen=True, kw_only=True)
class Topology:
    """The shape of the cloud of samples."""

    dimension: Fact[float] | None
    """Intrinsic dimension by TwoNN (Facco et al. 2017, Scientific Reports 7:12140); None: values on a grid."""
    dimension_95: tuple[float, float] | None
    neighbours: Fact[float]
    """Share of samples whose nearest neighbour has their label; for regression, R2 of the neighbours' mean."""
    separability: Fact[float]
    """What a linear probe reaches on samples it has not seen: accuracy, or R2 for regression."""
    chance: float
    """What the same two reach without looking at the samples: the share of the commonest label, or 0 for R2."""
    betti: Fact[tuple[ClassBetti, ...]] | None = None


@dataclass(frozen=True, kw_only=True)
class LearningCurve:
    """How a probe's error falls with more samples."""

    samples: tuple[int, ...]
    error: tuple[float, ...]
    """On samples not seen; a share for classes, RMSE in deviations of the target for numbers."""
    doubling: float
    """Share by which the fitted power law lets the error fall when the samples double."""
    doubling_95: tuple[float, float]
    flexible: float
    """Share by which a kernel machine's error is below that of a linear probe on the same samples: what a more
    flexible function is worth. Negative: it is worse."""


@dataclass(frozen=True, kw_only=True)
class Noise:
    """How far the labels can be trusted, and whether more of them would help."""

    labels: Fact[float] | None
    """Estimated share of wrong labels; None for regression."""
    labels_95: tuple[float, float] | None
    """Begins at 0 where noise cannot be told from difficulty: only a lower end above 0 shows that labels are wrong."""
    curve: Fact[LearningCurve] | None


@dataclass(frozen=True, kw_only=True)
class DeepFacts:
    """Those of the deep facts that were measured; None: the budget or the data did not allow it."""

    symmetry: Fact[tuple[Symmetry, ...]] | None = None
    geometry: Geometry | None = None
    topology: Topology | None = None
    noise: Noise | None = None
    left_out: tuple[str, ...] = Field(default=())
    """What was not measured, each with its reason."""

    def survives(self, transform: Transform) -> Symmetry | None:
        """What is known of one transform, or None."""
        found = self.symmetry.value if self.symmetry is not None else ()
        return next((one for one in found if one.transform == transform), None)
