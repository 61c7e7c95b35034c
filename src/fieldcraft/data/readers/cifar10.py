"""CIFAR-10 as it lies on disks: mosaics of lossless WebP with labels.npz, or the batches that torchvision keeps."""

import importlib.util
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from fieldcraft.errors import DataError, MissingExtraError

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TILE, TILES, IN_MOSAIC = 32, 32, 1000
"""Pixels of an image; images a row and a column of a mosaic; images that it holds (the rest is empty)."""
BATCHES = "cifar-10-batches-py"

Arrays = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def recognise_cifar10(path: Path) -> str | None:
    """Which of the two layouts a folder has."""
    if (path / "webp_mosaic").is_dir() and (path / "labels.npz").is_file():
        return "it has mosaics and labels.npz of CIFAR-10"
    if (path / BATCHES / "data_batch_1").is_file():
        return f"it has {BATCHES}, as torchvision keeps CIFAR-10"
    return None


def read_cifar10(path: Path) -> dict[str, Arrays]:
    """Images (n, 32, 32, 3) and classes of "train" and "test".

    Raises: DataError when a file is damaged; MissingExtraError when torchvision is needed to check its batches.
    """
    if (path / "webp_mosaic").is_dir():
        return _mosaics(path)
    if importlib.util.find_spec("torchvision") is None:
        raise MissingExtraError("torchvision", "vision", f"checking and reading {path / BATCHES}")
    # The batches are pickles: they are read only by torchvision, which compares their checksums first.
    from torchvision.datasets import CIFAR10

    try:
        sets = {part: CIFAR10(root=str(path), train=part == "train", download=False) for part in ("train", "test")}
    except RuntimeError as error:
        raise DataError(
            f"{path / BATCHES} is not what torchvision wrote ({error}): delete it and use --download."
        ) from error
    return {part: (np.asarray(found.data), np.asarray(found.targets, np.int64)) for part, found in sets.items()}


def _mosaics(path: Path) -> dict[str, Arrays]:
    """batch_00 to batch_49 are training images in the original order, batch_50 and on are test images."""
    try:
        with np.load(path / "labels.npz", allow_pickle=False) as labels:
            truth = {"train": labels["train"].astype(np.int64), "test": labels["test1000"].astype(np.int64)}
        files = sorted((path / "webp_mosaic").glob("batch_*.webp"))
        numbers = [int(file.stem.removeprefix("batch_")) for file in files]
        found: dict[str, Arrays] = {}
        for part, of_part in (("train", range(50)), ("test", range(50, 60))):
            tiles = [
                (_tiles(file), truth[part][(number - of_part[0]) * IN_MOSAIC :][:IN_MOSAIC])
                for file, number in zip(files, numbers, strict=True)
                if number in of_part
            ]
            found[part] = (np.concatenate([x for x, _ in tiles]), np.concatenate([y for _, y in tiles]))
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path} is no complete CIFAR-10 in mosaics: {error}.") from error
    if any(len(x) != len(y) for x, y in found.values()):
        raise DataError(f"{path} has more images than labels.")
    return found


def _tiles(file: Path) -> npt.NDArray[np.uint8]:
    with Image.open(file) as image:
        mosaic = np.asarray(image.convert("RGB"))
    apart = mosaic.reshape(TILES, TILE, TILES, TILE, 3).transpose(0, 2, 1, 3, 4)
    return apart.reshape(TILES * TILES, TILE, TILE, 3)[:IN_MOSAIC]
