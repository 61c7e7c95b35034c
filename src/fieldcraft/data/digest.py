"""One hash for the contents of a data set."""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fieldcraft.data.cases import Case, Cases, files_of
from fieldcraft.data.dataset import Dataset, ImageArray, ImageFiles, Table
from fieldcraft.data.images import in_threads

LARGE = 2 * 2**30
"""Bytes of files above which their contents are no longer read for it."""
PIECE = 4096
"""Images hashed at once."""


def digest(dataset: Dataset) -> str:
    """Hash of samples, targets, ids, given parts, groups and times: equal for the same samples in the same order.

    Where files lie does not matter. Of image files the contents are hashed; when they are larger than 2 GiB together,
    only their sizes and times of change are (a file changed within one tick of the clock at equal size goes unseen).
    Units: 32 hexadecimal digits.
    """
    found = blake2b(digest_size=16)
    found.update(f"{dataset.targets.task}\x1f{_joined(dataset.targets.names)}\x1e".encode())
    found.update(f"{_joined(dataset.ids)}\x1e".encode("utf-8", "surrogateescape"))
    _add(found.update, dataset.targets.values)
    for extra in (dataset.given, dataset.groups):
        found.update(b"-" if extra is None else _joined(extra.tolist()).encode("utf-8", "surrogateescape"))
    _add(found.update, np.empty(0) if dataset.times is None else dataset.times.astype("datetime64[s]").astype(np.int64))
    inputs = dataset.inputs
    if isinstance(inputs, ImageArray):
        _add(found.update, inputs.pixels)
    elif isinstance(inputs, ImageFiles):
        for one in file_hashes(inputs.paths):
            found.update(one)
    elif isinstance(inputs, Cases):
        found.update(repr((inputs.table, inputs.channels, [_pages(case) for case in inputs.cases])).encode())
        for one in file_hashes(tuple(path for case in inputs.cases for path in _files(case))):
            found.update(one)
    else:
        found.update(repr(inputs.roles).encode())
        _add(found.update, row_hashes(inputs))
    return found.hexdigest()


def file_hashes(paths: tuple[Path, ...]) -> list[bytes]:
    """A hash a file: of its contents, or, above 2 GiB in all, of its size and time of change."""
    stats = [path.stat() for path in paths]
    if sum(stat.st_size for stat in stats) > LARGE:
        return [f"{stat.st_size} {stat.st_mtime_ns};".encode() for stat in stats]
    return in_threads(_file_hash, paths)


def row_hashes(table: Table) -> npt.NDArray[np.uint64]:
    """A hash a row, over the columns that are not left out."""
    used = [name for name, role in table.roles if role != "left-out"]
    hashes: npt.NDArray[np.uint64] = pd.util.hash_pandas_object(table.frame[used], index=False).to_numpy()
    return hashes


def _files(case: Case) -> tuple[Path, ...]:
    sources = case.images if case.mask is None else (*case.images, case.mask)
    return tuple(path for source in sources for path in files_of(source))


def _pages(case: Case) -> tuple[int | None, ...]:
    return tuple(source.page for source in case.images)


def _file_hash(path: Path) -> bytes:
    return blake2b(path.read_bytes(), digest_size=16).digest()


def _add(update: Callable[[Any], None], values: npt.NDArray[np.generic]) -> None:
    update(f"{values.shape} {values.dtype.str};".encode())
    for start in range(0, len(values), PIECE):
        update(np.ascontiguousarray(values[start : start + PIECE]).tobytes())


def _joined(names: Iterable[str]) -> str:
    return "\x1f".join(names)
