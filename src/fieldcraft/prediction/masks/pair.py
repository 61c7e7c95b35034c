"""A mask beside the truth: the unit of every measure, checked once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.errors import DataError

VOID = -1
"""Of the truth: voxels that nobody labelled. They count for nothing."""

Labels = npt.NDArray[np.integer]
"""(*spatial): class ids."""
Mask = npt.NDArray[np.bool_]
"""(*spatial): one class, or one kind of voxel."""
Spacing = tuple[float, ...]
"""Distance between neighbours along each spatial axis, in mm (pixels are 1.0), in the order of the array's axes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskPair:
    """One case: what is there, and what was predicted.

    Raises: DataError where shapes differ, the spacing does not fit, or a class id is below 0 (but `VOID` in the truth).
    """

    name: str
    truth: Labels
    predicted: Labels
    spacing: Spacing
    group: str = ""
    """Patient, stack, ...: cases of one group are resampled together. Empty: the case is a group of its own."""

    def __post_init__(self) -> None:
        if self.truth.shape != self.predicted.shape:
            raise DataError(
                f"{self.name}: truth and prediction must have the same shape, but got {self.truth.shape} and "
                f"{self.predicted.shape}. Predict at the resolution of the truth, or resample one of them."
            )
        if not self.truth.size:
            raise DataError(f"{self.name}: a mask must have voxels, but its shape is {self.truth.shape}.")
        check_spacing(self.spacing, self.truth.ndim, self.name)
        for what, mask, least in (("truth", self.truth, VOID), ("prediction", self.predicted, 0)):
            if not np.issubdtype(mask.dtype, np.integer):
                raise DataError(f"{self.name}: the {what} must hold class ids (integers), but got {mask.dtype}.")
            if (lowest := int(mask.min())) < least:
                raise DataError(f"{self.name}: class ids of the {what} must be {least} or more, but got {lowest}.")

    @property
    def unit(self) -> str:
        """What is resampled whole: the group, or the case where it has none."""
        return self.group or self.name

    def masks(self, class_id: int) -> tuple[Mask, Mask]:
        """Where the truth, and where the prediction, is of this class; neither is in void voxels."""
        return self.truth == class_id, (self.predicted == class_id) & (self.truth != VOID)

    def cells(self, membrane: int) -> tuple[Mask, Mask]:
        """Where no membrane is: in the truth, void voxels being none, and in the prediction."""
        return (self.truth != membrane) & (self.truth != VOID), self.predicted != membrane


def check_spacing(spacing: Spacing, spatial: int, name: str) -> None:
    """Raise DataError unless there is one finite distance above zero for each spatial axis."""
    if len(spacing) != spatial or not all(np.isfinite(one) and one > 0 for one in spacing):
        raise DataError(
            f"{name}: spacing must be {spatial} distances above 0, one an axis, but got {spacing}. "
            "Correct it in the file's header; for pictures use 1.0."
        )


def diagonal(shape: tuple[int, ...], spacing: Spacing) -> float:
    """Between the centres of opposite corners, in mm: no two voxels are farther apart."""
    return float(np.linalg.norm([(side - 1) * one for side, one in zip(shape, spacing, strict=True)]))


def box(mask: Mask, margin: int = 0) -> tuple[slice, ...]:
    """The smallest box around what is true, `margin` voxels wider where the array goes on; all of it if none is."""
    found = []
    for axis in range(mask.ndim):
        hit = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        found.append(slice(max(0, hit[0] - margin), hit[-1] + 1 + margin) if len(hit) else slice(None))
    return tuple(found)
