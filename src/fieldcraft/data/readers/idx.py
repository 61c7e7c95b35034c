"""The MNIST family: train-images-idx3-ubyte(.gz) and its three companions.

Source: the description of the format at the foot of LeCun's MNIST page.
"""

import gzip
import math
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fieldcraft.data.dataset import Dataset, Part, Reader, ReadOptions
from fieldcraft.data.from_arrays import inputs_of
from fieldcraft.data.groups import PART_NAMES
from fieldcraft.data.near import listed
from fieldcraft.data.targets import recognise_array
from fieldcraft.errors import DataError

NAME = re.compile(
    r"^(?P<set>.*?)-?(?P<part>train|t10k|test|val|valid)-(?P<what>images|labels)[-.]idx\d(-ubyte)?(\.gz)?$", re.I
)
DTYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}

Files = dict[tuple[str, Part], dict[str, Path]]


def recognise(path: Path) -> str | None:
    """A folder with idx files of images and labels."""
    if not path.is_dir():
        return None
    complete = [pair for pair in _files(path).values() if len(pair) == 2]
    return f"it has {complete[0]['images'].name} and {complete[0]['labels'].name}" if complete else None


def read(path: Path, options: ReadOptions) -> Dataset:
    """The parts as their files name them.

    Raises: DataError when a file is damaged or missing, or several sets lie in one folder.
    """
    files = _files(path)
    sets = sorted({name for name, _ in files})
    if len(sets) > 1:
        raise DataError(f"{path} holds {len(sets)} sets ({listed(sets)}): move the files of one into its own folder.")
    if not any(part == "train" for _, part in files):
        raise DataError(f"{path} holds no train-images-idx3-ubyte(.gz).")
    images, labels, parts = [], [], []
    for (_, part), pair in sorted(files.items(), key=lambda item: ("train", "validation", "test").index(item[0][1])):
        if missing := {"images", "labels"} - pair.keys():
            raise DataError(f"{path} lacks the {missing.pop()} that belong to {next(iter(pair.values())).name}.")
        x, y = read_idx(pair["images"]), read_idx(pair["labels"])
        if len(x) != len(y):
            raise DataError(f"{pair['images']} holds {len(x)} samples, but {pair['labels'].name} {len(y)}.")
        images.append(x)
        labels.append(y)
        parts.append((part, len(x)))
    if len({x.shape[1:] for x in images}) > 1:
        raise DataError(f"{path}: the parts have images of different sizes: {listed([str(x.shape) for x in images])}.")
    inputs, notes = inputs_of(np.concatenate(images), "images")
    targets, seen = recognise_array(np.concatenate(labels), task=options.task or "single-label")
    return Dataset(
        name=sets[0] or path.resolve().name,
        kind=READER.kind,
        inputs=inputs,
        targets=targets,
        ids=tuple(f"{part}/{row:05d}" for part, count in parts for row in range(count)),
        given=np.repeat(np.array([part for part, _ in parts], np.str_), [count for _, count in parts]),
        notes=(*notes, *seen),
    )


def read_idx(path: Path) -> npt.NDArray[np.generic]:
    """The array of an idx file, gzipped or not. Raises: DataError when it is damaged or cut short."""
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}. Fetch it again.") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in DTYPES or len(data) < 4 + 4 * data[3]:
        raise DataError(f"{path} is no idx file (it must begin with two zero bytes, a type and a number of axes).")
    shape = struct.unpack(f">{data[3]}I", data[4 : 4 + 4 * data[3]])
    dtype = np.dtype(DTYPES[data[2]])
    body = len(data) - 4 - 4 * data[3]
    if body != math.prod(shape) * dtype.itemsize:
        raise DataError(
            f"{path} must hold {math.prod(shape) * dtype.itemsize:,} bytes for shape {shape}, but holds {body:,}. "
            "Fetch it again."
        )
    values = np.frombuffer(data, dtype, offset=4 + 4 * data[3]).reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=False)


def _files(path: Path) -> Files:
    """(set, part) -> its files of images and labels."""
    files: Files = {}
    for entry in sorted(path.iterdir()):
        match = NAME.match(entry.name)
        if match and entry.is_file():
            key = (match["set"], PART_NAMES[match["part"].lower()])
            files.setdefault(key, {})[match["what"].lower()] = entry
    return files


READER = Reader(kind="idx", recognise=recognise, read=read)
