"""What a run of segmentation found beside its candidates: the content of `masks.json`."""

from pydantic.dataclasses import dataclass

from fieldcraft.records.masks import CaseScores, ErrorDepths, MaskSummary, Refinement, VoxelCalibration
from fieldcraft.records.results import Estimate


@dataclass(frozen=True, kw_only=True)
class MaskResults:
    """Of the winner, on the test part; refinements were sought on validation."""

    names: tuple[str, ...]
    """Of the classes by id, the background first."""
    summary: MaskSummary
    cases: tuple[CaseScores, ...]
    calibration: VoxelCalibration | None = None
    refinements: tuple[Refinement, ...] = ()
    membrane_threshold: float | None = None
    """Probability from which on a voxel was taken to be membrane for the Rand score, fixed on validation; None: there
    are no membranes."""
    patch: tuple[int, ...] = ()
    """Voxels of a training patch along each axis."""
    field: tuple[int, ...] = ()
    """Receptive field of the deepest level along each axis, on the network's grid; empty: not known."""
    spacing: tuple[float, ...] = ()
    """Between voxels of the network's grid, where cases are resampled to one; empty: each case keeps its own."""
    depths: ErrorDepths | None = None
    """None: written by a fieldcraft that did not measure it."""
    within_volume: bool = False
    """Whether test cases are slices of a volume that was trained on."""


def mask_metrics(found: MaskResults) -> dict[str, Estimate]:
    """Every estimate by name: means over classes, then of each class, then of whole cases."""
    metrics: dict[str, Estimate] = dict(found.summary.mean.items())
    for one in found.summary.classes:
        metrics |= {f"{name}: {one.class_name}": value for name, value in one.metrics.items()}
    return metrics | dict(found.summary.cases.items())
