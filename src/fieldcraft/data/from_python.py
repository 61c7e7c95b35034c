"""Data that comes from Python: arrays, frames, and map-style torch data sets."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeGuard

import numpy as np
import numpy.typing as npt
import pandas as pd

from fieldcraft.data.dataset import Dataset, ReadOptions
from fieldcraft.data.from_arrays import inputs_of
from fieldcraft.data.readers.table import table_dataset
from fieldcraft.data.targets import recognise_array
from fieldcraft.errors import DataError


class MapStyle(Protocol):
    """What a map-style torch data set has; torch itself is not asked."""

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def __getitem__(self, index: int, /) -> Any:
        """(image, label) or (features, label)."""
        ...


def is_pair(source: object) -> TypeGuard[tuple[Any, Any]]:
    """Whether it is (X, y)."""
    return isinstance(source, tuple | list) and len(source) == 2 and not isinstance(source[0], str | tuple)


def is_frame(source: object) -> bool:
    """Whether it is a pandas or polars frame (polars is not imported to find out)."""
    return isinstance(source, pd.DataFrame) or (
        type(source).__module__.split(".")[0] == "polars" and type(source).__name__ == "DataFrame"
    )


def is_map_style(source: object) -> TypeGuard[MapStyle]:
    """Whether it has a length and can be indexed, and is none of Python's own containers."""
    return (
        hasattr(source, "__len__")
        and hasattr(source, "__getitem__")
        and not isinstance(source, list | tuple | dict | str | bytes | np.ndarray)
    )


def as_frame(source: Any) -> pd.DataFrame:
    """A pandas frame with columns named by text. Raises: DataError when two columns have one name."""
    frame: pd.DataFrame = source if isinstance(source, pd.DataFrame) else source.to_pandas()
    frame = frame.set_axis([str(column) for column in frame.columns], axis=1)
    if frame.columns.has_duplicates:
        raise DataError(
            f"the frame has columns of the same name: {sorted(set(frame.columns[frame.columns.duplicated()]))}."
        )
    return frame


def from_frame(source: object, options: ReadOptions) -> Dataset:
    """A frame with its target columns named in the options."""
    frame = as_frame(source)
    if not len(frame):
        raise DataError("the frame has no rows. Give at least two samples.")
    return table_dataset(frame, options, name="frame", kind="frame", origin="the frame")


def from_pair(x: Any, y: Any, options: ReadOptions) -> Dataset:
    """Arrays, lists, frames or tensors X and y of one length."""
    values = as_array(y, "y")
    if is_frame(x):
        return _frame_and_target(as_frame(x), values, options)
    inputs, notes = inputs_of(as_array(x, "X"))
    samples = len(as_array(x, "X"))
    _same_length(samples, values)
    targets, seen = recognise_array(values, task=options.task)
    if options.group or options.time:
        raise DataError("--group and --time name columns: give X as a frame, or a frame with its target.")
    ids = tuple(str(row) for row in range(samples))
    return Dataset(name="arrays", kind="arrays", inputs=inputs, targets=targets, ids=ids, notes=(*notes, *seen))


def from_map_style(source: MapStyle, options: ReadOptions) -> Dataset:
    """Every item once, in order, kept in memory.

    Raises: DataError when items are no (sample, label) pairs or differ in shape.
    """
    if not len(source):
        raise DataError("the data set has no items. Give at least two samples.")
    samples, found = [], []
    for index in range(len(source)):
        item = source[index]
        if not isinstance(item, tuple | list) or len(item) != 2:
            raise DataError(
                f"item {index} must be a pair (sample, label), but is {type(item).__name__}"
                f"{f' of {len(item)}' if isinstance(item, tuple | list) else ''}. Wrap the data set to return pairs."
            )
        samples.append(_sample(item[0], index))
        found.append(np.asarray(as_array(item[1], "label")))
        if samples[-1].shape != samples[0].shape:
            raise DataError(
                f"all items must have one shape, but item {index} has {samples[-1].shape} and item 0 "
                f"{samples[0].shape}. Add a resize to the data set's transform."
            )
    inputs, notes = inputs_of(np.stack(samples))
    names: Sequence[str] = getattr(source, "classes", ())
    targets, seen = recognise_array(np.stack(found), task=options.task, names=[str(name) for name in names])
    ids = tuple(str(row) for row in range(len(samples)))
    name = type(source).__name__
    return Dataset(name=name, kind="torch-dataset", inputs=inputs, targets=targets, ids=ids, notes=(*notes, *seen))


def as_array(values: Any, what: str) -> npt.NDArray[np.generic]:
    """Anything array-like (tensors, PIL images, series, lists). Raises: DataError for ragged or sparse ones."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    if hasattr(values, "toarray"):
        raise DataError(f"{what} is sparse: give {what}.toarray(), sparse inputs are not read.")
    try:
        array = values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DataError(f"{what} must be an array with samples of one shape: {error}.") from error
    return np.asarray(array)


def _sample(value: Any, index: int) -> npt.NDArray[np.generic]:
    array = as_array(value, f"item {index}")
    if array.ndim == 0:
        raise DataError(f"item {index} is a single value: samples must be images (c, h, w) or rows of features.")
    return array


def _frame_and_target(frame: pd.DataFrame, values: npt.NDArray[np.generic], options: ReadOptions) -> Dataset:
    _same_length(len(frame), values)
    columns = pd.DataFrame(values if values.ndim == 2 else values[:, None])
    names = ["y"] if columns.shape[1] == 1 else [f"y{place}" for place in range(columns.shape[1])]
    names = [name if name not in frame.columns else f"target {name}" for name in names]
    columns = columns.infer_objects().set_axis(names, axis=1)
    whole = pd.concat([frame.reset_index(drop=True), columns], axis=1)
    known = ReadOptions(target=tuple(names), group=options.group, time=options.time, task=options.task)
    return table_dataset(whole, known, name="frame", kind="frame", origin="the frame")


def _same_length(samples: int, values: npt.NDArray[np.generic]) -> None:
    if values.ndim == 0 or len(values) != samples:
        raise DataError(f"X and y must have one length, but X has {samples} and y {values.shape}.")
