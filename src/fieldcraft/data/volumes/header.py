"""What every format says of a file before its values are read, and what makes a file one that cannot be used."""

import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fieldcraft.data.cases import Geometry
from fieldcraft.data.images import Unreadable
from fieldcraft.errors import MissingExtraError
from fieldcraft.records.audit import Kind

SMALL = ("uint8", "int8", "uint16", "int16")
"""Types that are kept as they are; all others become float32."""
Affine = npt.NDArray[np.float64]


class BadFile(Unreadable):
    """A file that was read but cannot be used; `kind` is what an audit files it under."""

    def __init__(self, reason: str, kind: Kind = "unreadable") -> None:
        super().__init__(reason)
        self.kind: Kind = kind


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a header says."""

    geometry: Geometry
    channels: int
    dtype: str
    """Type of the values as an image: one of `SMALL`, or float32."""


def require_package(package: str, path: Path) -> None:
    """Raises: MissingExtraError when what reads a file is not installed."""
    if importlib.util.find_spec(package) is None:
        raise MissingExtraError(package, "medical", f"reading {path.name}")


def kept_type(dtype: np.dtype[np.generic]) -> str:
    """The type that an image of this type is kept in."""
    return dtype.name if dtype.name in SMALL else "float32"


def placed(shape: Sequence[int], affine: Affine) -> Geometry:
    """Geometry in millimetres of an array whose first axes are placed by a 4 x 4 affine (to right, anterior, superior).

    Raises: BadFile when a spacing is zero, negative or no number.
    """
    from nibabel.affines import voxel_sizes
    from nibabel.orientations import aff2axcodes

    spatial = len(shape)
    spacing = tuple(float(size) for size in voxel_sizes(affine)[:spatial])
    require_spacing(spacing)
    codes = aff2axcodes(affine)[:spatial]
    return Geometry(
        shape=tuple(int(side) for side in shape),
        spacing=spacing,
        unit="mm",
        affine=tuple(tuple(float(value) for value in row) for row in affine),
        orientation="".join(code or "?" for code in codes),
    )


def require_spacing(spacing: Sequence[float]) -> None:
    """Raises: BadFile unless every spacing is a number above zero."""
    if any(not math.isfinite(size) or size <= 0 for size in spacing):
        shown = " x ".join(f"{size:g}" for size in spacing)
        raise BadFile(
            f"its voxels are {shown} mm apart: spacing must be above zero along every axis. Correct the header",
            "bad-spacing",
        )


def too_many_axes(shape: Sequence[int]) -> BadFile:
    """The error for arrays with time or other axes."""
    shown = " x ".join(map(str, shape))
    return BadFile(
        f"it has {len(shape)} axes ({shown}), and 2 or 3 can be used. Save each time point as a case of its own; if "
        "the last axis holds channels, name them in dataset.json (channel_names)",
        "too-many-axes",
    )
