"""What must hold of every data set, whoever read it."""

from collections import Counter

import numpy as np

from fieldcraft.data.dataset import Dataset, ImageArray
from fieldcraft.data.image_arrays import require_finite
from fieldcraft.data.near import listed
from fieldcraft.errors import DataError

LEAST_CASES = 3
"""For one of training, validation and test each."""
SHOWN = 20
"""Problems that an error spells out."""


def check(dataset: Dataset) -> Dataset:
    """The data set itself, when there is something to learn in it.

    Raises: DataError for no samples, NaN in images, one class, a class with one sample, constant targets, ids that
    repeat.
    """
    if not len(dataset):
        raise DataError(f"{dataset.name} holds no samples.")
    if len(set(dataset.ids)) < len(dataset):
        twice = [name for name, count in Counter(dataset.ids).items() if count > 1]
        raise DataError(f"{dataset.name} names samples twice: {listed(twice, 5)}.")
    if isinstance(dataset.inputs, ImageArray):
        require_finite(dataset.inputs.pixels, dataset.name)
    if dataset.targets.task == "single-label":
        _check_classes(dataset)
    elif dataset.targets.task == "regression":
        _check_numbers(dataset)
    elif dataset.targets.task == "segmentation":
        _check_masks(dataset)
    elif not dataset.targets.names:
        raise DataError(f"{dataset.name} has no labels: not one sample carries any.")
    return dataset


def require_readable(dataset: Dataset) -> None:
    """Raises: DataError naming, file by file, the samples that could not be read."""
    if dataset.problems:
        shown = "".join(f"\n  {problem.sample}: {problem.reason}" for problem in dataset.problems[:SHOWN])
        more = len(dataset.problems) - SHOWN
        raise DataError(
            f"{len(dataset.problems)} sample(s) of {dataset.name} cannot be read:{shown}"
            + (f"\n  and {more} more" if more > 0 else "")
            + "\nRepair them, or move them (and their lines in labels.csv) out of the data, then run the same command; "
            "--skip-bad goes on without them."
        )


def _check_masks(dataset: Dataset) -> None:
    lost = f" ({len(dataset.problems)} more cannot be used)" if dataset.problems else ""
    if len(dataset) < LEAST_CASES:
        raise DataError(
            f"{dataset.name} has {len(dataset)} case(s) with a mask{lost}: {LEAST_CASES} at least are needed, one to "
            "train on, one to choose by and one to test on. Give more, or a volume as a folder of slices or a TIFF "
            "stack, which is parted in blocks."
        )
    if len(dataset.targets.names) < 2 or not (dataset.targets.values[:, 1:] != 0).any():
        raise DataError(
            f"{dataset.name} has masks of one class only, {dataset.targets.names[0]!r}{lost}: there is nothing to "
            "find. Check that the right folder of masks was given, and that --void names no class."
        )


def _check_classes(dataset: Dataset) -> None:
    names = dataset.targets.names
    counts = np.bincount(dataset.targets.values.astype(np.int64), minlength=len(names))
    there = [name for name, count in zip(names, counts, strict=True) if count]
    lost = f" ({len(dataset.problems)} samples could not be read)" if dataset.problems else ""
    if len(there) < 2:
        raise DataError(
            f"{dataset.name} has one class only, {listed(map(repr, there))}{lost}: there is nothing to tell apart. Add "
            "samples of a second class, or check that the right folder or --target was given."
        )
    single = [repr(name) for name, count in zip(names, counts, strict=True) if count == 1]
    if single:
        raise DataError(
            f"{dataset.name} has {'a class' if len(single) == 1 else f'{len(single):,} classes'} with one sample: "
            f"{listed(single, 6)}{lost}. A class needs two at "
            "least, one to learn from and one to check with (and some ten to be learnt): add more, merge it with "
            "another, or leave it out. If these are numbers to predict, use --task regression."
        )


def _check_numbers(dataset: Dataset) -> None:
    values = dataset.targets.values.astype(np.float64)
    flat = [
        name for name, low, high in zip(dataset.targets.names, values.min(0), values.max(0), strict=True) if low == high
    ]
    if flat:
        raise DataError(
            f"{dataset.name}: the target {listed(map(repr, flat))} has one value only; nothing varies with it."
        )
