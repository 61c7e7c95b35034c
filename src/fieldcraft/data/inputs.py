"""Inputs for prediction: images and rows from files; what cannot be read is named, the rest comes back."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from fieldcraft.data.dataset import Problem
from fieldcraft.data.image_arrays import DTYPES, as_images, covering, resized, with_channels, with_depth
from fieldcraft.data.images import Unreadable, in_threads, is_image, load_image, read_header
from fieldcraft.data.near import did_you_mean, listed
from fieldcraft.data.readers.image_folder import walk
from fieldcraft.data.readers.npz import INPUTS, find, load
from fieldcraft.data.tabular import is_table, read_frame
from fieldcraft.errors import DataError
from fieldcraft.plan.buckets import nearest
from fieldcraft.plan.schema import Bucket

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

    def of_file(path: Path) -> Pixels:
        return load_image(path, height=height, width=width, channels=channels, depth_bits=depth_bits)

    def of_array(image: Pixels) -> Pixels:
        return resized(with_depth(with_channels(image, channels), depth_bits), height, width)

    names, images, problems = _read_images(sources, of_file, of_array)
    empty = np.empty((0, height, width, channels), DTYPES[depth_bits])
    return names, np.stack(images) if images else empty, problems


def read_bucketed_images(
    sources: Sequence[Path], *, buckets: Sequence[Bucket], channels: int, depth_bits: int = 8
) -> tuple[tuple[str, ...], tuple[Pixels, ...], tuple[Problem, ...]]:
    """As `read_images`, each image (h, w, channels) at the size of the bucket that fits it best, in proportion."""

    def of_file(path: Path) -> Pixels:
        header = read_header(path)
        to = buckets[nearest(header.height, header.width, buckets)]
        return load_image(path, height=to.height, width=to.width, channels=channels, depth_bits=depth_bits, cover=True)

    def of_array(image: Pixels) -> Pixels:
        return in_bucket(with_depth(with_channels(image, channels), depth_bits), buckets)

    return _read_images(sources, of_file, of_array)


def in_bucket(image: Pixels, buckets: Sequence[Bucket]) -> Pixels:
    """An image (h, w, c) at the size of the bucket that fits it best, in proportion."""
    to = buckets[nearest(image.shape[0], image.shape[1], buckets)]
    return covering(image, to.height, to.width)


def _read_images(
    sources: Sequence[Path], of_file: Callable[[Path], Pixels], of_array: Callable[[Pixels], Pixels]
) -> tuple[tuple[str, ...], tuple[Pixels, ...], tuple[Problem, ...]]:
    paths, problems = _expanded(sources, lambda path: is_image(path) or path.suffix.lower() == ".npz", "image")

    def one(path: Path) -> list[tuple[str, Pixels]] | Problem:
        try:
            if path.suffix.lower() == ".npz":
                return [(f"{path}#{row}", of_array(image)) for row, image in enumerate(_from_archive(path))]
            return [(str(path), of_file(path))]
        except (Unreadable, DataError, ValueError) as error:
            return Problem(sample=str(path), reason=str(error))

    results = in_threads(one, paths)
    read = [pair for result in results if not isinstance(result, Problem) for pair in result]
    problems += [result for result in results if isinstance(result, Problem)]
    return tuple(name for name, _ in read), tuple(image for _, image in read), tuple(problems)


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


def _from_archive(path: Path) -> Pixels:
    arrays = load(path)
    name = find(arrays, INPUTS) or find(arrays, PARTED) or (next(iter(arrays)) if len(arrays) == 1 else None)
    if name is None:
        raise DataError(f"it must hold x (or images, data), but holds {listed(arrays)}")
    pixels, _ = as_images(arrays[name], name)
    return pixels
