"""Some of the samples of a data set."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fieldcraft.data.cases import Cases
from fieldcraft.data.dataset import Dataset, ImageArray, ImageFiles, Inputs, Targets
from fieldcraft.records.facts import Task

Rows = npt.NDArray[np.int64]


def take(dataset: Dataset, rows: Rows) -> Dataset:
    """The samples of these rows, in this order; classes that lose their last sample are no longer named."""
    return replace(
        dataset,
        inputs=take_inputs(dataset.inputs, rows),
        targets=_targets(dataset.targets, rows),
        ids=tuple(dataset.ids[row] for row in rows),
        given=None if dataset.given is None else dataset.given[rows],
        groups=None if dataset.groups is None else dataset.groups[rows],
        times=None if dataset.times is None else dataset.times[rows],
    )


def take_inputs(inputs: Inputs, rows: Rows) -> Inputs:
    """The inputs of these rows."""
    if isinstance(inputs, ImageArray):
        return ImageArray(pixels=inputs.pixels[rows])
    if isinstance(inputs, ImageFiles):
        return replace(inputs, paths=tuple(inputs.paths[row] for row in rows), sizes=inputs.sizes[rows])
    if isinstance(inputs, Cases):
        return replace(inputs, cases=tuple(inputs.cases[row] for row in rows))
    return replace(inputs, frame=inputs.frame.iloc[rows].reset_index(drop=True))


def _targets(targets: Targets, rows: Rows) -> Targets:
    values = targets.values[rows]
    single: Task = "single-label"
    if targets.task != single:
        return replace(targets, values=values)
    there, codes = np.unique(values.astype(np.int64), return_inverse=True)
    return replace(targets, values=codes.astype(np.int64), names=tuple(targets.names[place] for place in there))


def no_rows() -> Rows:
    """None of the samples."""
    return np.empty(0, np.int64)
