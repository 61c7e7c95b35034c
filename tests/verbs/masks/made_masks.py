"""Small images with masks on disk, and plans with few steps, for tests of whole runs."""

from pathlib import Path

import nibabel
import numpy as np
import numpy.typing as npt
from PIL import Image

from fieldcraft.plan.masks import MaskAugment, MaskLoss, Masks, PatchInput, Segmentation, UNet
from fieldcraft.plan.schema import AdamW, Averaging, Batch, Ladder, OneCycle, Plan, Rung

AFFINE = np.array([[-1.0, 0, 0, 10], [0, 2.0, 0, -5], [0, 0, 1.5, 3], [0, 0, 0, 1]])
"""Spacing 1 x 2 x 1.5 mm, its first axis towards the left."""


def disc(shape: tuple[int, ...], seed: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """A bright ball with a brighter core on noise, and its mask of classes 0, 1, 2."""
    rng = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij")).astype(float)
    middle = np.array([side / 2 + rng.uniform(-3, 3) for side in shape]).reshape(-1, *(1,) * len(shape))
    far = np.sqrt(((places - middle) ** 2).sum(axis=0))
    mask = (far < min(shape) / 3.2).astype(np.uint8) + (far < min(shape) / 6).astype(np.uint8)
    image = (rng.integers(0, 40, shape) + 70 * mask).astype(np.uint8)
    return image, mask


def volumes(folder: Path, count: int = 20, shape: tuple[int, int, int] = (13, 16, 12)) -> Path:
    """The layout of nnU-Net, NIfTI."""
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for index in range(count):
        sides = (shape[0] + index % 2, shape[1], shape[2])
        image, mask = disc(sides, index)
        nibabel.save(nibabel.Nifti1Image(image, AFFINE), folder / "imagesTr" / f"case_{index:02d}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(mask, AFFINE), folder / "labelsTr" / f"case_{index:02d}.nii.gz")
    return folder


def pictures(folder: Path, count: int = 20, shape: tuple[int, int] = (24, 20)) -> Path:
    """images/ and masks/, PNG; class ids 0, 100 and 200 in the files."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for index in range(count):
        image, mask = disc(shape, index)
        Image.fromarray(image).save(folder / "images" / f"{index:02d}.png")
        Image.fromarray(100 * mask).save(folder / "masks" / f"{index:02d}.png")
    return folder


def plan(patch: tuple[int, ...], *, steps: int = 60, masks: Masks = Masks(), seed: int = 0) -> Plan:  # noqa: B008
    """A small U-Net above the mean shape."""
    axes = len(patch)
    network = UNet(
        widths=(6, 12), depths=(1, 1), decoder_depth=1, kernels=((3,) * axes,) * 2, strides=((2,) * axes,),
    )  # fmt: skip
    return Plan(
        seed=seed,
        task=Segmentation(loss=MaskLoss(dice=1.0), masks=masks),
        input=PatchInput(channels=1, patch=patch, augment=MaskAugment(noise=0.1)),
        optimiser=AdamW(),
        schedule=OneCycle(),
        batch=Batch(size=2),
        averaging=Averaging(decay=0.5),
        ladder=Ladder(
            baselines=("mean-shape",),
            rungs=(Rung(name="small", network=network, steps=steps, lr=0.02),),
            climb="always",
        ),
    )
