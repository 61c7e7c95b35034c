"""Inputs for prediction: images and rows from files; what cannot be read is named, the rest comes back."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from fieldcraft.data.dataset import Problem
from fieldcraft.data.image_arrays import DTYPES, as_images, resized, with_channels, with_depth
from fieldcraft.data.images import Unreadable, in_threads, is_image, load_image
from fieldcraft.data.near import did_you_mean, listed
from fieldcraft.data.readers.image_folder import walk
from fieldcraft.data.readers.npz import INPUTS, find, load
from fieldcraft.data.tabular import is_table, read_frame
from fieldcraft.errors import DataError

Pixels = npt.NDArray[np.generic]
PARTED = tuple(f"{name}_test" for name in INPUTS) + tuple(f"test_{name}" for name in INPUTS)
"""Arrays of an archive that are taken when it has no plain x: its test part."""


def read_images(
    sources: Sequence[Path], *, height: int, width: int, channels: int, depth_bits: int = 8
) -> tuple[tuple[str, ...], Pixels, tuple[Problem, ...]]:
    """Images from files, folders (with all below) and .npz archives, brought to what the network was trained on.

    Shape: pixels (n, height, width, channels); uint8, uint16 or float32 for 8, 16 or 32 bits, as in training.
    Returns: names (paths; "file.npz#3" for arrays), pixels, and the inputs that cannot be read.
    """
    paths, problems = _expanded(sources, lambda path: is_image(path) or path.suffix.lower() == ".npz", "image")

    def one(path: Path) -> tuple[list[str], Pixels] | Problem:
        try:
            if path.suffix.lower() == ".npz":
                found = _from_archive(path, height, width, channels, depth_bits)
                return [f"{path}#{row}" for row in range(len(found))], found
            pixels = load_image(path, height=height, width=width, channels=channels, depth_bits=depth_bits)
            return [str(path)], pixels[None]
        except (Unreadable, DataError, ValueError) as error:
            return Problem(sample=str(path), reason=str(error))

    results = in_threads(one, paths)
    read = [result for result in results if not isinstance(result, Problem)]
    problems += [result for result in results if isinstance(result, Problem)]
    empty = np.empty((0, height, width, channels), DTYPES[depth_bits])
    names = tuple(name for found, _ in read for name in found)
    return names, np.concatenate([empty, *(pixels for _, pixels in read)]), tuple(problems)


def read_rows(sources: Sequence[Path]) -> tuple[tuple[str, ...], pd.DataFrame, tuple[Problem, ...]]:
    """Rows from CSV, TSV and Parquet files, or folders of them, one below the other.

    Returns: names ("file.csv#0" for the first row), the frame with all columns, and the files that cannot be read.
    """
    paths, problems = _expanded(sources, is_table, "table")
    names: list[str] = []
    frames: list[pd.DataFrame] = []
    for path in paths:
        try:
            frame, _ = read_frame(path)
        except DataError as error:
            problems.append(Problem(sample=str(path), reason=str(error)))
            continue
        names += [f"{path}#{row}" for row in range(len(frame))]
        frames.append(frame)
    together = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    return tuple(names), together, tuple(problems)


def _expanded(sources: Sequence[Path], wanted: Callable[[Path], bool], what: str) -> tuple[list[Path], list[Problem]]:
    """Files, with folders replaced by the wanted files in them; and what is not there."""
    paths: list[Path] = []
    problems: list[Problem] = []
    for source in sources:
        if source.is_dir():
            inside = [source / name for name in walk(source) if wanted(Path(name))]
            if not inside:
                problems.append(Problem(sample=str(source), reason=f"the folder holds no {what}"))
            paths += inside
        elif source.exists():
            paths.append(source)
        else:
            beside = [entry.name for entry in source.parent.iterdir()] if source.parent.is_dir() else []
            reason = f"there is no such file.{did_you_mean(source.name, beside)}"
            problems.append(Problem(sample=str(source), reason=reason))
    return paths, problems


def _from_archive(path: Path, height: int, width: int, channels: int, depth_bits: int) -> Pixels:
    arrays = load(path)
    name = find(arrays, INPUTS) or find(arrays, PARTED) or (next(iter(arrays)) if len(arrays) == 1 else None)
    if name is None:
        raise DataError(f"it must hold x (or images, data), but holds {listed(arrays)}")
    pixels, _ = as_images(arrays[name], name)
    fitting = with_depth(with_channels(pixels, channels), depth_bits)
    if fitting.shape[1:3] == (height, width):
        return fitting
    return np.stack([resized(image, height, width) for image in fitting])
