"""Sets known by name: small ones that come with scikit-learn, and classics that are looked for on disk first."""

import importlib
import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from fieldcraft.data.columns import Role
from fieldcraft.data.dataset import Dataset, ImageArray, Reader, ReadOptions, Table, Targets
from fieldcraft.data.near import did_you_mean, listed
from fieldcraft.data.readers import cifar10, idx
from fieldcraft.errors import DataError, MissingExtraError, ReaderError

CACHE = Path("~/.cache/fieldcraft")
KIND = "built-in"
FASHION = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


@dataclass(frozen=True)
class Classic:
    """A set that has to lie on disk: where, under which folder names, and who fetches it."""

    folders: tuple[str, ...]
    source: str
    fetcher: str
    """Class of torchvision.datasets."""


CLASSICS: Mapping[str, Classic] = MappingProxyType(
    {
        "mnist": Classic(
            ("mnist", "MNIST/raw", "MNIST", "mnist/MNIST/raw"), "the MNIST mirrors of torchvision", "MNIST"
        ),
        "fashion-mnist": Classic(
            ("fashion-mnist", "fashion_mnist", "FashionMNIST/raw", "FashionMNIST"),
            "the FashionMNIST mirror of torchvision",
            "FashionMNIST",
        ),
        "cifar10": Classic(("cifar10", "cifar-10", "CIFAR10", "."), "www.cs.toronto.edu/~kriz", "CIFAR10"),
    }
)


def recognise(path: Path) -> str | None:
    """A name of the list, where no file of that name lies; or a folder in the layout of CIFAR-10."""
    if path.is_dir():
        return cifar10.recognise_cifar10(path)
    return f"'{path}' is a built-in name" if str(path) in NAMES and not path.exists() else None


def read(path: Path, options: ReadOptions) -> Dataset:
    """The set of that name.

    Raises: ReaderError when there is none; DataError saying where was looked when it is not on disk.
    """
    if path.is_dir() and cifar10.recognise_cifar10(path):
        return _cifar10(path, path.name)
    name = str(path)
    if name not in NAMES:
        raise ReaderError(f"no built-in set is named {name!r}.{did_you_mean(name, NAMES)} There are {listed(NAMES)}.")
    return replace(BUNDLED[name]() if name in BUNDLED else _classic(name, options), name=name, kind=KIND)


def places() -> tuple[Path, ...]:
    """Folders where classics are looked for."""
    named = os.environ.get("FIELDCRAFT_DATA")
    first = (Path(named),) if named else ()
    return (*first, Path("data"), CACHE.expanduser())


def _digits() -> Dataset:
    from sklearn.datasets import load_digits

    found = load_digits()
    return Dataset(
        name="digits",
        kind=KIND,
        inputs=ImageArray(pixels=found.images.astype(np.uint8)[..., None]),
        targets=Targets(
            task="single-label", values=found.target.astype(np.int64), names=tuple(map(str, found.target_names))
        ),
        ids=tuple(f"digits/{row:04d}" for row in range(len(found.target))),
        notes=("1,797 gray digits of 8 x 8 pixels, values 0 to 16, from scikit-learn",),
    )


def _breast_cancer() -> Dataset:
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer(as_frame=True)
    targets = Targets(
        task="single-label", values=found.target.to_numpy(np.int64), names=tuple(map(str, found.target_names))
    )
    return _bundled_table("breast-cancer", found.data, targets, "569 rows of 30 measurements, from scikit-learn")


def _diabetes() -> Dataset:
    from sklearn.datasets import load_diabetes

    found = load_diabetes(as_frame=True, scaled=False)
    targets = Targets(task="regression", values=found.target.to_numpy(np.float64)[:, None], names=("progression",))
    return _bundled_table("diabetes", found.data, targets, "442 rows of 10 measurements, unscaled, from scikit-learn")


BUNDLED: Mapping[str, Callable[[], Dataset]] = MappingProxyType(
    {"digits": _digits, "breast-cancer": _breast_cancer, "diabetes": _diabetes}
)
NAMES = (*BUNDLED, *CLASSICS)


def _bundled_table(name: str, frame: object, targets: Targets, note: str) -> Dataset:
    import pandas as pd

    assert isinstance(frame, pd.DataFrame)
    role: Role = "numeric"
    roles = tuple((str(column), role) for column in frame.columns)
    ids = tuple(f"{name}/{row:04d}" for row in range(len(frame)))
    return Dataset(
        name=name, kind=KIND, inputs=Table(frame=frame, roles=roles), targets=targets, ids=ids, notes=(note,)
    )


def _classic(name: str, options: ReadOptions) -> Dataset:
    found = _on_disk(name)
    if found is None and options.download:
        _fetch(name)
        found = _on_disk(name)
    if found is None:
        classic = CLASSICS[name]
        folders = [folder for folder in classic.folders if folder != "."]
        raise DataError(
            f"'{name}' is not on this disk. Looked for a folder {' or '.join(folders)} in "
            f"{listed(map(str, places()))}. Put it there, let FIELDCRAFT_DATA name the folder that has it, or add "
            f"--download: that fetches it through torchvision from {classic.source} into {CACHE}."
        )
    if name == "cifar10":
        return _cifar10(found, name)
    dataset = replace(idx.read(found, ReadOptions()), notes=(f"read from {found}",))
    if name == "fashion-mnist":
        return replace(dataset, targets=replace(dataset.targets, names=FASHION))
    return dataset


def _on_disk(name: str) -> Path | None:
    recognised = cifar10.recognise_cifar10 if name == "cifar10" else idx.recognise
    folders = (place / folder for place in places() for folder in CLASSICS[name].folders)
    return next((folder for folder in folders if recognised(folder)), None)


def _fetch(name: str) -> None:
    if importlib.util.find_spec("torchvision") is None:
        raise MissingExtraError("torchvision", "vision", f"downloading {name}")
    fetcher = getattr(importlib.import_module("torchvision.datasets"), CLASSICS[name].fetcher)
    root = CACHE.expanduser()
    try:
        root.mkdir(parents=True, exist_ok=True)
        fetcher(root=str(root), download=True)
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"'{name}' could not be fetched from {CLASSICS[name].source}: {error}. Try again later."
        ) from error


def _cifar10(path: Path, name: str) -> Dataset:
    parts = cifar10.read_cifar10(path)
    return Dataset(
        name=name,
        kind=KIND,
        inputs=ImageArray(pixels=np.concatenate([x for x, _ in parts.values()])),
        targets=Targets(
            task="single-label", values=np.concatenate([y for _, y in parts.values()]), names=cifar10.NAMES
        ),
        ids=tuple(f"{part}/{row:05d}" for part, (x, _) in parts.items() for row in range(len(x))),
        given=np.repeat(np.array(list(parts), np.str_), [len(x) for x, _ in parts.values()]),
        notes=(f"read from {path}: " + ", ".join(f"{len(x):,} {part} images" for part, (x, _) in parts.items()),),
    )


READER = Reader(kind=KIND, recognise=recognise, read=read)
