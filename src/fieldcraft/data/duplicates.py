"""Samples that repeat an earlier one exactly."""

from collections import Counter
from collections.abc import Hashable, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fieldcraft.data.cases import Cases, files_of
from fieldcraft.data.dataset import Dataset, ImageArray, ImageFiles
from fieldcraft.data.digest import row_hashes
from fieldcraft.data.images import in_threads


def exact_duplicates(dataset: Dataset) -> int:
    """How many samples equal an earlier one; see `first_equal`."""
    first = first_equal(dataset)
    return int((first != np.arange(len(first))).sum())


def first_equal(dataset: Dataset) -> npt.NDArray[np.int64]:
    """The row of the first sample that equals each: pixel by pixel, byte by byte of its file, or in every used column.

    Its own row where there is none. Targets are not compared: equal samples of different classes count as well.
    """
    inputs = dataset.inputs
    if isinstance(inputs, ImageArray):
        return _first([_hash(image) for image in inputs.pixels])
    if isinstance(inputs, ImageFiles):
        sizes = [path.stat().st_size for path in inputs.paths]
        often = Counter(sizes)
        # Only files of one size can be equal: the others need not be read.
        rivals = [row for row, size in enumerate(sizes) if often[size] > 1]
        first = np.arange(len(sizes))
        hashes = in_threads(lambda row: _file_hash(inputs.paths[row]), rivals)
        places = np.array(rivals, np.int64)
        first[places] = places[_first(hashes)]
        return first
    if isinstance(inputs, Cases):
        return _first_case(inputs)
    return _first(row_hashes(inputs).tolist())


def _first_case(inputs: Cases) -> npt.NDArray[np.int64]:
    """Cases are equal when all files of their images are, byte by byte; of a stack, the same page."""
    files = [[path for source in case.images for path in files_of(source)] for case in inputs.cases]
    every = tuple(dict.fromkeys(path for of_case in files for path in of_case))
    hashes = dict(zip(every, in_threads(_file_hash, every), strict=True))
    return _first(
        [
            (*(hashes[path] for path in of_case), *(source.page for source in case.images))
            for case, of_case in zip(inputs.cases, files, strict=True)
        ]
    )


def _first(keys: Sequence[Hashable]) -> npt.NDArray[np.int64]:
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(key, place) for place, key in enumerate(keys)], np.int64)


def _file_hash(path: Path) -> bytes:
    return blake2b(path.read_bytes(), digest_size=16).digest()


def _hash(image: npt.NDArray[np.generic]) -> bytes:
    return blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
