"""NumPy archives: x and y under any of their usual names, with or without parts, and the MedMNIST layout."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from fieldcraft.data.dataset import PARTS, Dataset, Part, Reader, ReadOptions
from fieldcraft.data.from_arrays import inputs_of
from fieldcraft.data.groups import torn
from fieldcraft.data.near import listed
from fieldcraft.data.targets import recognise_array
from fieldcraft.errors import DataError

INPUTS = ("x", "images", "data", "image", "features", "inputs")
TARGETS = ("y", "labels", "target", "targets", "label", "classes")
NAMES = ("target_names", "class_names", "label_names")
PREFIXES: Mapping[Part, tuple[str, ...]] = MappingProxyType(
    {"train": ("train", "training"), "validation": ("val", "valid", "validation"), "test": ("test", "testing")}
)

Arrays = Mapping[str, npt.NDArray[np.generic]]


def recognise(path: Path) -> str | None:
    """A .npz file, or a folder that holds one and no sub-folder."""
    if path.is_file():
        return "its name ends in .npz" if path.suffix.lower() == ".npz" else None
    archive = _archive(path)
    return f"it holds {archive.name}" if archive else None


def read(path: Path, options: ReadOptions) -> Dataset:
    """All parts in a row: train, validation, test.

    Raises: DataError when the arrays are damaged, pickled, of unequal length, or not named as above.
    """
    archive = path if path.is_file() else _archive(path)
    if archive is None:
        raise DataError(f"{path} holds no .npz file.")
    arrays = load(archive)
    pairs = {part: pair for part in PARTS if (pair := _pair(arrays, part))}
    if "train" not in pairs:
        pairs = {"train": pair} if (pair := _pair(arrays, None)) else {}
    if not pairs:
        shown = listed([f"{name} {values.shape}" for name, values in arrays.items()])
        raise DataError(
            f"{archive} must hold x and y (or images and labels, data and target; with parts: x_train, y_train, ... or "
            f"train_images, train_labels, ...), but holds {shown}."
        )
    for part, (x, y) in pairs.items():
        if arrays[x].ndim == 0 or arrays[y].ndim == 0 or len(arrays[x]) != len(arrays[y]):
            raise DataError(f"{archive}: {x} {arrays[x].shape} and {y} {arrays[y].shape} of {part} differ in length.")
    inputs, notes = inputs_of(_joined(arrays, [x for x, _ in pairs.values()], archive))
    targets, seen = recognise_array(
        _joined(arrays, [y for _, y in pairs.values()], archive), task=options.task, names=_names(arrays)
    )
    counts = {part: len(arrays[x]) for part, (x, _) in pairs.items()}
    apart = len(pairs) > 1
    given = np.repeat(np.array(list(counts), np.str_), list(counts.values())) if apart else None
    groups = _groups(arrays, options, sum(counts.values()), archive)
    ids = [f"{part}/{row}" if apart else str(row) for part, count in counts.items() for row in range(count)]
    where = ", ".join(f"{part}: {x} and {y}" for part, (x, y) in pairs.items())
    return Dataset(
        name=archive.stem,
        kind=READER.kind,
        inputs=inputs,
        targets=targets,
        ids=tuple(ids),
        given=given,
        groups=groups,
        notes=(
            f"arrays of {where}" if apart else f"arrays {where.removeprefix('train: ')}",
            *notes,
            *seen,
            *torn(groups, given),
        ),
    )


def load(archive: Path) -> dict[str, npt.NDArray[np.generic]]:
    """All arrays of an archive; nothing is unpickled. Raises: DataError."""
    try:
        # Opened here, as numpy leaves the file open when the archive is damaged.
        with archive.open("rb") as file, np.load(file, allow_pickle=False) as found:
            if not isinstance(found, np.lib.npyio.NpzFile):
                raise ValueError("a single array, not an archive")
            return {name: found[name] for name in found.files}
    except FileNotFoundError as error:
        raise DataError(f"{archive}: there is no such file.") from error
    except (OSError, EOFError, zipfile.BadZipFile, ValueError) as error:
        if "pickle" in str(error).lower() and zipfile.is_zipfile(archive):
            raise DataError(
                f"{archive} holds pickled objects, which are not read for safety. Save plain numeric or text arrays "
                "with numpy.savez."
            ) from error
        # numpy takes whatever is no archive for a pickle, and advises to trust it.
        why = "it is damaged or something else" if "pickle" in str(error).lower() else str(error)
        raise DataError(f"{archive} is no readable .npz archive: {why}. numpy.savez writes one.") from error


def find(arrays: Arrays, names: tuple[str, ...]) -> str | None:
    """The first of the names that the archive has, in any case."""
    by_lower = {name.lower(): name for name in arrays}
    return next((by_lower[name] for name in names if name in by_lower), None)


def _pair(arrays: Arrays, part: Part | None) -> tuple[str, str] | None:
    if part is None:
        x, y = find(arrays, INPUTS), find(arrays, TARGETS)
    else:
        x, y = (
            find(arrays, tuple(form for name in names for prefix in PREFIXES[part] for form in _forms(prefix, name)))
            for names in (INPUTS, TARGETS)
        )
    return (x, y) if x and y else None


def _forms(prefix: str, name: str) -> tuple[str, str, str]:
    return f"{prefix}_{name}", f"{name}_{prefix}", f"{name}{prefix}"


def _joined(arrays: Arrays, names: list[str], archive: Path) -> npt.NDArray[np.generic]:
    if len(names) == 1:
        return arrays[names[0]]
    shapes = {arrays[name].shape[1:] for name in names}
    if len(shapes) > 1:
        shown = listed([f"{name} {arrays[name].shape}" for name in names])
        raise DataError(f"{archive}: all parts must have samples of one shape, but there are {shown}.")
    return np.concatenate([arrays[name] for name in names])


def _names(arrays: Arrays) -> list[str]:
    found = find(arrays, NAMES)
    return [str(name) for name in arrays[found].ravel()] if found else []


def _groups(arrays: Arrays, options: ReadOptions, samples: int, archive: Path) -> npt.NDArray[np.str_] | None:
    if options.group is None:
        return None
    if options.group not in arrays or len(arrays[options.group]) != samples:
        raise DataError(
            f"{archive} has no array '{options.group}' (--group) with {samples} entries; it has {listed(arrays)}."
        )
    return arrays[options.group].astype(np.str_)


def _archive(path: Path) -> Path | None:
    """The only .npz of a folder without sub-folders."""
    if not path.is_dir():
        return None
    inside = list(path.iterdir())
    found = [file for file in inside if file.suffix.lower() == ".npz"]
    return found[0] if len(found) == 1 and not any(entry.is_dir() for entry in inside) else None


READER = Reader(kind="npz", recognise=recognise, read=read)
