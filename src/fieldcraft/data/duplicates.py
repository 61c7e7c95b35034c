"""Samples that repeat an earlier one exactly."""

from collections import Counter
from collections.abc import Hashable, Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

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
        hashes = in_threads(lambda row: blake2b(inputs.paths[row].read_bytes(), digest_size=16).digest(), rivals)
        places = np.array(rivals, np.int64)
        first[places] = places[_first(hashes)]
        return first
    return _first(row_hashes(inputs).tolist())


def _first(keys: Sequence[Hashable]) -> npt.NDArray[np.int64]:
    seen: dict[Hashable, int] = {}
    return np.array([seen.setdefault(key, place) for place, key in enumerate(keys)], np.int64)


def _hash(image: npt.NDArray[np.generic]) -> bytes:
    return blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
