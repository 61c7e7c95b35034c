"""Images in buckets: each decoded once, at the size of the bucket that fits it best."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fieldcraft.data.dataset import Dataset, ImageFiles
from fieldcraft.data.memory import decode, free_room_mib
from fieldcraft.data.take import take
from fieldcraft.errors import PlanError
from fieldcraft.plan.buckets import nearest
from fieldcraft.plan.schema import Bucket

MIB = 2**20
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class BucketPixels:
    """All images of a data set, by bucket."""

    pixels: tuple[npt.NDArray[np.generic], ...]
    """One array a bucket, (images, height, width, channels), in memory or memory-mapped; may hold no image."""
    of: Rows
    """Bucket of each sample, (n,)."""
    place: Rows
    """Where each sample stands within its bucket, (n,)."""


def assigned(sizes: npt.NDArray[np.int64], buckets: Sequence[Bucket]) -> Rows:
    """The bucket of each image. Shape: (n, 2), height and width -> (n,)."""
    kinds, which = np.unique(sizes, axis=0, return_inverse=True)
    chosen = np.array([nearest(int(height), int(width), buckets) for height, width in kinds], np.int64)
    return chosen[which.reshape(-1)]


def decode_buckets(dataset: Dataset, buckets: Sequence[Bucket], cache: Path) -> BucketPixels:
    """Decode every image at the size of its bucket, kept in proportion: what lies beyond is cut off.

    In memory while a quarter of what is free suffices, else in files under `cache`, one a bucket.
    Raises: PlanError when the images are no files, and so have one size already; otherwise as `data.memory.decode`.
    """
    inputs = dataset.inputs
    if not isinstance(inputs, ImageFiles):
        raise PlanError(
            "input.buckets are for image files of several sizes, but these images are arrays of one size: set "
            "input.buckets = []."
        )
    of = assigned(inputs.sizes, buckets)
    place = np.zeros(len(of), np.int64)
    room_mib, found = free_room_mib(), []
    for index, bucket in enumerate(buckets):
        rows = np.flatnonzero(of == index)
        place[rows] = np.arange(len(rows))
        if len(rows):
            pixels = decode(
                take(dataset, rows),
                height=bucket.height,
                width=bucket.width,
                cache=cache,
                room_mib=room_mib,
                cover=True,
            ).pixels
            room_mib = max(0.0, room_mib - (0 if isinstance(pixels, np.memmap) else pixels.nbytes / MIB))
        else:
            pixels = np.empty((0, bucket.height, bucket.width, inputs.channels), np.uint8)
        found.append(pixels)
    return BucketPixels(pixels=tuple(found), of=of, place=place)
