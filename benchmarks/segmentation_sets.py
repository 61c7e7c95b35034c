"""The folders that benchmarks of segmentation fit: links to the real data, parted as published figures are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.model_selection import KFold

from fits import DATA

FOLDS = 5
ISBI_PARTS = {"train": range(17), "val": range(18, 23), "test": range(24, 30)}
"""Slices from 0: 1-17, 19-23 and 25-30 as the issue counts them; one is dropped between."""


def hippocampus(fold: int, folder: Path) -> Path:
    """A fold of nnU-Net's five as the test part."""
    source = DATA / "msd_hippocampus"
    names = sorted(path.name for path in (source / "labelsTr").glob("[!.]*.nii.gz"))
    rest, held = nnunet_fold(names, fold)
    for rows, ending in ((rest, "Tr"), (held, "Ts")):
        for kind in ("images", "labels"):
            for row in rows:
                _link(source / f"{kind}Tr" / names[row], folder / f"{kind}{ending}" / names[row])
    return folder


def nnunet_fold(names: Sequence[str], fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the rest and of the fold, by the names in their order (splits of nnU-Net: KFold, seed 12345)."""
    order = np.argsort(np.array(names))
    rest, held = list(KFold(FOLDS, shuffle=True, random_state=12345).split(order))[fold]
    return order[rest], order[held]


def isbi(folder: Path) -> Path:
    """The 30 slices with labels, in three blocks."""
    source = DATA / "isbi2012_membrane" / "train"
    for part, slices in ISBI_PARTS.items():
        for ours, theirs in (("images", "image"), ("labels", "label")):
            for number in slices:
                (found,) = (source / theirs).glob(f"{number}.*")
                _link(found, folder / part / ours / f"{number:02d}{found.suffix}")
    (folder / "classes.csv").write_text("value,name\n0,membrane\n255,cell\n")
    return folder


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(source)
