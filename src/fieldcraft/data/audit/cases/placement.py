"""Masks that lie elsewhere in space than their images."""

import numpy as np

from fieldcraft.data.audit.cases.seen import SeenCases
from fieldcraft.data.cases import Case
from fieldcraft.records.audit import Complaint

VOXELS = 0.5
"""Largest distance between the corners of image and mask, in voxels, that counts as none."""


def placement(seen: SeenCases) -> tuple[Complaint, ...]:
    """Voxels of one number are taken for one place, whatever headers say: when these differ, one of them is wrong."""
    far = {row: moved for row, case in enumerate(seen.inputs.cases) if (moved := apart(case)) > VOXELS}
    if not far:
        return ()
    return (
        Complaint(
            kind="orientation-mismatch",
            severity="warn",
            reason=f"{len(far):,} mask(s) lie elsewhere in space than their image, as headers say; voxel for voxel "
            "they are used as if they did not",
            samples=seen.names(list(far)),
            details=tuple(f"corners of image and mask are up to {moved:.3g} voxels apart" for moved in far.values()),
        ),
    )


def apart(case: Case) -> float:
    """Largest distance between corners of image and mask, in voxels of the image; 0 where nothing is known."""
    mask = case.mask_geometry
    if mask is None or mask.affine is None or case.geometry.affine is None:
        return 0.0
    ends = np.array(np.meshgrid(*[(0, side - 1) for side in case.geometry.shape])).reshape(len(mask.shape), -1)
    corners = np.zeros((4, ends.shape[1]))
    corners[: len(ends)], corners[3] = ends, 1
    moved = (np.array(case.geometry.affine) - np.array(mask.affine)) @ corners
    return float(np.linalg.norm(moved[:3], axis=0).max() / min(case.geometry.spacing))
