"""The folders that benchmarks of segmentation fit: links to the real data, parted as published figures are."""

import os
from pathlib import Path

from sklearn.model_selection import KFold

DATA = Path(os.environ.setdefault("FIELDCRAFT_DATA", str(Path(__file__).resolve().parents[2] / "shared" / "data")))
FOLDS = 5
ISBI_PARTS = {"train": range(17), "val": range(18, 23), "test": range(24, 30)}
"""Slices from 0: 1-17, 19-23 and 25-30 as the issue counts them; one is dropped between."""


def hippocampus(fold: int, folder: Path) -> Path:
    """The five folds of nnU-Net: KFold over the sorted names, seed 12345; the fold is the test part."""
    source = DATA / "msd_hippocampus"
    names = sorted(path.name for path in (source / "labelsTr").glob("[!.]*.nii.gz"))
    rest, held = list(KFold(FOLDS, shuffle=True, random_state=12345).split(names))[fold]
    for rows, ending in ((rest, "Tr"), (held, "Ts")):
        for kind in ("images", "labels"):
            for row in rows:
                _link(source / f"{kind}Tr" / names[row], folder / f"{kind}{ending}" / names[row])
    return folder


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
