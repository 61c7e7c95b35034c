"""Arrays as inputs: two axes are a table, three or four are images."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from fieldcraft.data.columns import roles_of
from fieldcraft.data.dataset import ImageArray, Inputs, Table
from fieldcraft.data.image_arrays import as_images
from fieldcraft.errors import DataError


def inputs_of(values: npt.NDArray[np.generic], what: str = "X") -> tuple[Inputs, tuple[str, ...]]:
    """Images or a table with the columns x0, x1, ..., and notes.

    Raises: DataError when the array is neither.
    """
    if values.ndim != 2:
        pixels, notes = as_images(values, what, gaps=True)
        return ImageArray(pixels=pixels), notes
    if 0 in values.shape:
        raise DataError(f"{what} has shape {values.shape}: nothing in it. Give at least two samples.")
    if values.dtype.kind == "c":
        raise DataError(f"{what} holds complex numbers: give real and imaginary parts as columns of their own.")
    frame = pd.DataFrame(values, columns=[f"x{place}" for place in range(values.shape[1])])
    if values.dtype == object:
        frame = frame.infer_objects()
    if values.dtype.kind in "biuf":
        # Numbers without names are taken as they come: no column of them is guessed to be an id.
        constant = (frame.nunique(dropna=False) <= 1).to_numpy() & (len(frame) > 1)
        names = list(zip(frame.columns, constant, strict=True))
        roles = tuple((str(name), "left-out" if flat else "numeric") for name, flat in names)
        notes = (f"{int(constant.sum())} columns hold one value only and are left out",) if constant.any() else ()
        return Table(frame=frame, roles=roles), (f"{what} {values.shape}: a table", *notes)  # type: ignore[arg-type]
    roles_found, notes = roles_of(frame)
    return Table(frame=frame, roles=roles_found), (f"{what} {values.shape}: a table", *notes)
