"""Small sets of images with masks, in the layouts that readers know."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image

Array = np.ndarray[Any, Any]


def ball(*shape: int, at: tuple[float, ...] | None = None, radius: float = 3.0) -> Array:
    """1 within a ball, 0 elsewhere."""
    middle = at or tuple(side / 2 for side in shape)
    places = np.meshgrid(*[np.arange(side) for side in shape], indexing="ij")
    return (sum((place - one) ** 2 for place, one in zip(places, middle, strict=True)) <= radius**2).astype(np.uint8)


def noisy(mask: Array, seed: int) -> Array:
    """An image in which a mask can be seen."""
    return ((mask > 0) * 40 + np.random.default_rng(seed).integers(50, 90, mask.shape)).astype(np.uint8)


def save(path: Path, array: Array, affine: Array | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        Image.fromarray(array).save(path)
    else:
        nib.save(nib.Nifti1Image(array, np.eye(4) if affine is None else affine), path)
    return path


def volumes(
    folder: Path,
    count: int = 6,
    *,
    shape: tuple[int, ...] = (10, 12, 8),
    said: Mapping[str, object] | None = None,
    mask: Callable[[int], Array] | None = None,
    affine: Array | None = None,
) -> Path:
    """nnU-Net's layout."""
    for number in range(count):
        found = ball(*shape) if mask is None else mask(number)
        save(folder / "imagesTr" / f"case_{number:02d}.nii.gz", noisy(found, number), affine)
        save(folder / "labelsTr" / f"case_{number:02d}.nii.gz", found, affine)
    if said is not None:
        (folder / "dataset.json").write_text(json.dumps(said))
    return folder


def pictures(folder: Path, count: int = 6, *, value: int = 1) -> Path:
    """images/ and masks/."""
    for number in range(count):
        found = ball(16, 20, at=(5 + number % 7, 10))
        save(folder / "images" / f"{number}.png", noisy(found, number))
        save(folder / "masks" / f"{number}.png", found * np.uint8(value))
    return folder
