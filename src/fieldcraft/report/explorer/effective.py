"""Effective fields as heat maps over the input: what really reaches a unit, and how much of its field that is."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fieldcraft.records.anatomy import Anatomy
from fieldcraft.report.explorer.words import is_quiet
from fieldcraft.report.pixels import data_uri, heat
from fieldcraft.report.wording import number, percent

LONGEST_PX = 256
SUMMED = {1: ((),), 2: ((),), 3: ((0,), (1,))}
"""Axes summed over for each drawing: three axes give a projection along the first and one along the second."""


class Effective(Protocol):
    """What the page needs to know of an effective field."""

    @property
    def heat(self) -> npt.NDArray[Any]:
        """Mean absolute gradient of the middle unit, over the spatial axes of the input."""

    @property
    def width_px(self) -> tuple[float, ...]:
        """Deviation of a Gaussian fitted to it, along each axis."""

    @property
    def share(self) -> float:
        """Of the theoretical field, in area."""


def effective_data(anatomy: Anatomy, fields: Mapping[str, Effective]) -> Mapping[str, object]:
    """For the row that a module (or an output, by its name) ends with: drawings and a sentence."""
    found = ((row_of(anatomy, name), field) for name, field in fields.items())
    return {str(row): {"planes": planes(field.heat), "said": said(field)} for row, field in found if row is not None}


def row_of(anatomy: Anatomy, name: str) -> int | None:
    """The last operation of a module that computes something; of an output, the one that made it."""
    inside = [
        row.index
        for row in anatomy.rows
        if (row.module == name or row.module.startswith(f"{name}.")) and not is_quiet(row.operation)
    ]
    if inside:
        return inside[-1]
    made = dict(zip(anatomy.output_names, anatomy.outputs, strict=True)).get(name)
    return None if made is None or made not in anatomy.maker else anatomy.maker[made].index


def planes(values: npt.NDArray[Any]) -> list[str]:
    """A picture for each drawing of the input."""
    flat = [values.sum(axis=axes) if axes else values for axes in SUMMED.get(values.ndim, ())]
    return [data_uri(heat(np.atleast_2d(one)), LONGEST_PX) for one in flat]


def said(field: Effective) -> str:
    """In a sentence."""
    widths = " and ".join(number(one) for one in dict.fromkeys(field.width_px))
    return f"Effective field: a Gaussian of deviation {widths} px, {percent(field.share)} of the theoretical field."
