"""A data set: samples, targets, names, and whatever was known about splits, groups and times."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from fieldcraft.data.cases import Cases
from fieldcraft.records.audit import Kind
from fieldcraft.records.facts import Task

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageArray:
    """Images of one size, in memory or memory-mapped.

    `pixels`: (samples, height, width, channels), uint8, uint16 or float32.
    """

    pixels: npt.NDArray[np.generic]


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageFiles:
    """Images in files of any size; decoded by `data.memory` when the size is known."""

    paths: tuple[Path, ...]
    sizes: npt.NDArray[np.int64]
    """(samples, 2): height and width in pixels, read from the headers."""
    channels: int
    """1 when all are gray, else 3."""
    depth_bits: int
    """8 or 16; 32 when one of them holds floating point numbers."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Rows of named columns, targets and administrative columns removed.

    `roles` says how each column of `frame` is to be used.
    """

    frame: pd.DataFrame
    roles: tuple[tuple[str, Literal["numeric", "categorical", "date", "left-out"]], ...]


Inputs = ImageArray | ImageFiles | Table | Cases


@dataclass(frozen=True, kw_only=True, eq=False)
class Targets:
    """What is to be predicted, one row a sample.

    single-label: int64 (n,), indices into `names`. multi-label: uint8 (n, labels). regression: float64 (n, targets).
    segmentation: uint8 (n, classes): 1 where the class occurs in the case's mask, 0 where not, 2 where the mask was not
    looked at; the masks themselves are read from the cases.
    """

    task: Task
    values: npt.NDArray[np.generic]
    names: tuple[str, ...]
    """Class names, label names, or the names of the target columns."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A sample that could not be read, by name, with the reason."""

    sample: str
    reason: str
    kind: Kind = "unreadable"
    """What an audit files it under."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Samples with everything that came along."""

    name: str
    kind: str
    """What was recognised: image-folder, image-labels, npz, idx, table, built-in, arrays, frame, torch-dataset, nnunet,
    image-masks, stack."""
    inputs: Inputs
    targets: Targets
    ids: tuple[str, ...]
    """A name a sample, unique: relative path or row number."""
    given: npt.NDArray[np.str_] | None = None
    """The part that the source assigns to each sample, or None."""
    groups: npt.NDArray[np.str_] | None = None
    """Samples of one group stay in one part."""
    times: npt.NDArray[np.datetime64] | None = None
    """When each sample was taken; splits then follow time."""
    notes: tuple[str, ...] = ()
    """What was recognised and how, in sentences."""
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What a user may say about the data."""

    kind: str | None = None
    """`--as`: the reader to use, whatever the path looks like."""
    target: tuple[str, ...] = ()
    """`--target`: target columns of a table."""
    group: str | None = None
    """`--group`: a column, or a regular expression whose first group (or match) of the path names the group."""
    time: str | None = None
    """`--time`: the column that orders the samples."""
    task: Task | None = None
    """`--task`: what the target is, where its values alone could mean something else."""
    download: bool = False
    """`--download`: whether built-in sets, and weights by name, may be fetched."""
    void: tuple[int, ...] = ()
    """`--void`: numbers in masks that mean: no label."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One file format: how it is recognised and how it is read."""

    kind: str
    recognise: Callable[[Path], str | None]
    """Why this path looks like this kind, in words; None when it does not. Must be fast and must not raise."""
    read: Callable[[Path, ReadOptions], Dataset]
