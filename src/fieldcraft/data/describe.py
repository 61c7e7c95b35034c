"""What was recognised, in sentences: the answer of `fieldcraft data DATA`."""

import numpy as np

from fieldcraft.data.cases import Cases
from fieldcraft.data.dataset import PARTS, Dataset, ImageArray, ImageFiles, Table
from fieldcraft.data.image_arrays import depth_of
from fieldcraft.data.near import listed

SHOWN = 20
"""Problems that are spelt out."""


def describe(dataset: Dataset) -> tuple[str, ...]:
    """Sentences: samples, inputs, target, parts, groups, times, notes, problems."""
    return (
        f"{dataset.name}: {len(dataset):,} samples, read as {dataset.kind}.",
        _inputs(dataset),
        _target(dataset),
        *_structure(dataset),
        *(f"{note[0].upper()}{note[1:]}{'' if note.endswith('.') else '.'}" for note in dataset.notes),
        *_problems(dataset),
    )


def _inputs(dataset: Dataset) -> str:
    match dataset.inputs:
        case ImageArray(pixels=pixels):
            _, height, width, channels = pixels.shape
            return f"Images of {height} x {width} pixels, {_colour(channels)}, {depth_of(pixels)} bits."
        case ImageFiles(sizes=sizes, channels=channels, depth_bits=bits):
            low, high = sizes.min(axis=0), sizes.max(axis=0)
            size = f"{low[0]} x {low[1]}" + ("" if (low == high).all() else f" to {high[0]} x {high[1]}")
            return f"Image files of {size} pixels (height x width), {_colour(channels)}, {bits} bits."
        case Table(roles=roles):
            counts = {role: [name for name, has in roles if has == role] for role in ("numeric", "categorical", "date")}
            shown = ", ".join(f"{len(names)} {role} ({listed(names, 6)})" for role, names in counts.items() if names)
            return f"A table with columns: {shown or 'none of use'}."
        case Cases():
            return _cases(dataset.inputs)


def _cases(found: Cases) -> str:
    shapes = np.array([case.geometry.shape for case in found.cases])
    spacings = np.array([case.geometry.spacing for case in found.cases])
    unit = found.cases[0].geometry.unit
    what = "volumes" if found.spatial == 3 else "images"
    names = f" ({listed(found.channel_names)})" if found.channel_names else ""
    return (
        f"{what.capitalize()} with masks, {_span(shapes)} voxels, {_span(spacings)} {unit} apart, "
        f"{_colour(found.channels)}{names}."
    )


def _span(values: np.ndarray) -> str:
    """Least and most along each axis."""
    low, high = (" x ".join(f"{side:.4g}" for side in ends) for ends in (values.min(axis=0), values.max(axis=0)))
    return low if low == high else f"{low} to {high}"


def _colour(channels: int) -> str:
    return {1: "gray", 3: "colour"}.get(channels, f"{channels} channels")


def _target(dataset: Dataset) -> str:
    targets = dataset.targets
    if targets.task == "regression":
        values = targets.values.astype(np.float64)
        shown = [
            f"{name} from {low:g} to {high:g}"
            for name, low, high in zip(targets.names, values.min(0), values.max(0), strict=True)
        ]
        return f"To predict (regression): {listed(shown, 6)}."
    if targets.task == "segmentation":
        counts = (targets.values == 1).sum(axis=0)
        shown = [f"{name}: {count:,}" for name, count in zip(targets.names, counts, strict=True)]
        return f"To predict (segmentation): {len(targets.names)} classes of voxels; cases with each: {listed(shown)}."
    if targets.task == "multi-label":
        counts = targets.values.astype(np.int64).sum(axis=0)
        what = f"any of {len(targets.names)} labels (multi-label)"
    else:
        counts = np.bincount(targets.values.astype(np.int64), minlength=len(targets.names))
        what = f"one of {len(targets.names)} classes (single-label)"
    shown = [f"{name}: {count:,}" for name, count in zip(targets.names, counts, strict=True)]
    return f"To predict: {what}: {listed(shown)}."


def _structure(dataset: Dataset) -> tuple[str, ...]:
    sentences = []
    if dataset.given is not None:
        counts = {part: int((dataset.given == part).sum()) for part in PARTS}
        sentences.append(
            "Parts given: " + ", ".join(f"{part} {count:,}" for part, count in counts.items() if count) + "."
        )
    if dataset.groups is not None:
        sentences.append(f"{len(np.unique(dataset.groups)):,} groups, which stay whole.")
    if dataset.times is not None:
        sentences.append(
            f"In order of time, from {dataset.times.min()} to {dataset.times.max()}; the latest are for testing."
        )
    return tuple(sentences)


def _problems(dataset: Dataset) -> tuple[str, ...]:
    if not dataset.problems:
        return ()
    count = len(dataset.problems)
    told = "1 sample cannot be read" if count == 1 else f"{count:,} samples cannot be read"
    shown = [f"  {problem.sample}: {problem.reason}" for problem in dataset.problems[:SHOWN]]
    more = [f"  and {count - SHOWN:,} more"] if count > SHOWN else []
    return (f"{told}; `fit` stops until they are repaired or left out (--skip-bad):", *shown, *more)
