"""What masks are worth, case by case and together; read by the report and by `prove`."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fieldcraft.records.results import Estimate, Reliability
from fieldcraft.records.segmentation import Unit

MaskMetric = Literal["dice", "iou", "hd95_mm", "surface_dice", "boundary_iou"]
"""Those that each class of a case has; of `hd95_mm` less is better, of the others more."""
CaseMetric = Literal["accuracy", "rand", "rand_split", "rand_merge"]
"""Those that a whole case has; the last three are of membranes. More is better."""


@dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    """What the measures were taken with; None stands for what each case's own spacing says."""

    tolerance_mm: float | None = Field(default=None, gt=0)
    """Of the surface Dice; None: the distance of neighbours along the coarsest axis."""
    boundary_mm: float | None = Field(default=None, gt=0)
    """Width of the rim for boundary IoU; None: 2 % of the diagonal, at least one voxel."""
    membrane: int | None = Field(default=None, ge=0)
    """The class that parts cells, where there is one: then the Rand score is taken."""
    unit: Unit = "mm"
    """Of lengths: pixels where nothing is known of the spacing."""


@dataclass(frozen=True, kw_only=True)
class MaskScores:
    """One class of one case. None: it is neither in the truth nor in the prediction, so there is nothing to score."""

    case: str
    class_id: int
    class_name: str
    truth_voxels: int
    predicted_voxels: int
    dice: float | None
    iou: float | None
    hd95_mm: float | None
    """The diagonal of the array where the class is in one of both alone."""
    surface_dice: float | None
    boundary_iou: float | None


@dataclass(frozen=True, kw_only=True)
class CaseScores:
    """One case: its classes, and what is of all classes together."""

    case: str
    unit: str
    """What is resampled whole: the group, or the case where it has none."""
    accuracy: float | None
    """Share of voxels with the right class; None where all are void."""
    classes: tuple[MaskScores, ...]
    """Of all classes but the background (class 0)."""
    rand: float | None = None
    """Foreground-restricted Rand score, alpha one half; None without membranes, or without a cell in the truth."""
    rand_split: float | None = None
    rand_merge: float | None = None


@dataclass(frozen=True, kw_only=True)
class ClassSummary:
    """One class over all cases."""

    class_id: int
    class_name: str
    cases: int
    """Cases with the class in the truth."""
    missed: int
    """Of these, cases in which none of it was predicted."""
    imagined: int
    """Cases without it in which it was predicted."""
    metrics: Mapping[MaskMetric, Estimate]
    """Means over the cases that define the metric; one that no case defines is left out."""


@dataclass(frozen=True, kw_only=True)
class MaskSummary:
    """All cases together, with 95 % intervals by resampling units whole."""

    settings: ScoreSettings
    classes: tuple[ClassSummary, ...]
    mean: Mapping[MaskMetric, Estimate]
    """Over cases, of each case's mean over the classes that it defines."""
    cases: Mapping[CaseMetric, Estimate]


@dataclass(frozen=True, kw_only=True)
class ErrorDepths:
    """How far wrong voxels are from the nearest boundary of the truth, all cases together."""

    step_mm: float = Field(gt=0)
    """Width of a layer: the distance of neighbours along the coarsest axis."""
    wrong: tuple[int, ...]
    """Wrong voxels in each layer, the one along the boundary first; the last holds all that are farther."""
    voxels: int
    """All voxels that carry a label."""


@dataclass(frozen=True, kw_only=True)
class VoxelCalibration:
    """One temperature for all voxels, fitted on validation; reliability on the cases it was then measured on."""

    temperature: float
    fitted_voxels: int
    measured_voxels: int
    before: Reliability
    """Of all sampled voxels: most often easy background."""
    after: Reliability
    contested_before: Reliability | None
    """Of the sampled voxels where background was given less than 99 %; None where there are none."""
    contested_after: Reliability | None


@dataclass(frozen=True, kw_only=True)
class Change:
    """A measure before and after a refinement, both over the same cases."""

    before: float
    after: float
    gain: Estimate | None
    """Better is positive, also where less is better; paired over units. None: all cases are of one unit."""


@dataclass(frozen=True, kw_only=True)
class Refinement:
    """What a last step (a CRF, a filter of components) does to validation, cross-fitted, and whether it is kept."""

    name: str
    kept: bool
    because: str
    chosen: str
    """The candidate that is used if it is kept, in words."""
    candidates: int
    """How many were tried."""
    changes: Mapping[str, Change]
    """By measure; the one that decides is first."""


@dataclass(frozen=True, kw_only=True)
class DenseCrf:
    """Parameters of a fully connected CRF; the values given here are what its search starts from.

    Widths are deviations of Gaussians. Weights are in nats: what a neighbourhood that is all of one class adds to that
    class's logit.
    """

    smooth_weight: float = Field(default=1.0, ge=0)
    """Of neighbours that are near."""
    smooth_mm: float = Field(default=1.0, gt=0)
    near_weight: float = Field(default=2.0, ge=0)
    """Of neighbours that are near and look alike."""
    near_mm: float = Field(default=3.0, gt=0)
    tone: float = Field(default=0.5, gt=0)
    """How alike, in standard deviations of each channel over the case."""
    iterations: int = Field(default=10, ge=1)
    """Of mean field."""


@dataclass(frozen=True, kw_only=True)
class ComponentRule:
    """What happens to the pieces of one class. Pieces touch by faces, edges or corners."""

    class_id: int = Field(ge=1)
    largest_only: bool = False
    least_mm: float = Field(default=0.0, ge=0)
    """Pieces below this volume (mm^3; area in 2-D) become background."""
    fill_holes: bool = False
    """Background that the class encloses becomes that class."""
