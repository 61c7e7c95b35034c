"""Samples that repeat an earlier one exactly."""

from collections import Counter
from hashlib import blake2b

import numpy as np
import pandas as pd

from fieldcraft.data.dataset import Dataset, ImageArray, ImageFiles
from fieldcraft.data.digest import row_hashes
from fieldcraft.data.images import in_threads


def exact_duplicates(dataset: Dataset) -> int:
    """How many samples equal an earlier one: pixel by pixel, byte by byte of their file, or in every used column.

    Targets are not compared: equal samples of different classes count as well.
    """
    inputs = dataset.inputs
    if isinstance(inputs, ImageArray):
        seen = {_hash(image) for image in inputs.pixels}
        return len(inputs.pixels) - len(seen)
    if isinstance(inputs, ImageFiles):
        sizes = [path.stat().st_size for path in inputs.paths]
        often = Counter(sizes)
        # Only files of one size can be equal: the others need not be read.
        rivals = [path for path, size in zip(inputs.paths, sizes, strict=True) if often[size] > 1]
        return len(rivals) - len(
            set(in_threads(lambda path: blake2b(path.read_bytes(), digest_size=16).digest(), rivals))
        )
    return int(pd.Series(row_hashes(inputs)).duplicated().sum())


def _hash(image: np.ndarray) -> bytes:
    return blake2b(np.ascontiguousarray(image).tobytes(), digest_size=16).digest()
