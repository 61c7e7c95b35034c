"""A folder a class, with or without folders for train, validation and test above."""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from fieldcraft.data.dataset import Dataset, Reader, ReadOptions
from fieldcraft.data.groups import PART_NAMES, groups_by_pattern, torn
from fieldcraft.data.image_samples import image_files
from fieldcraft.data.images import SUFFIXES, is_image
from fieldcraft.data.near import listed
from fieldcraft.data.targets import classes
from fieldcraft.errors import DataError

LOOKED_AT = 2000
"""Files that recognition looks at before it gives up."""


def recognise(path: Path) -> str | None:
    """A folder with images in its sub-folders."""
    if not path.is_dir():
        return None
    below = (name for name in islice(walk(path), LOOKED_AT) if len(name.parts) > 1 and is_image(Path(name)))
    return "it has sub-folders with images" if next(below, None) else None


def read(path: Path, options: ReadOptions) -> Dataset:
    """Classes are named by their folders; images further down count for the class above them.

    Raises: DataError when there are no class folders, or no images in them.
    """
    if options.task not in (None, "single-label"):
        raise DataError(
            f"{path} has a folder a class, which gives one class a sample; for {options.task} write a labels.csv with "
            "the columns path and label beside the images."
        )
    names = list(walk(path))
    images = [name for name in names if is_image(Path(name))]
    by_part = _has_parts(images)
    depth = 2 if by_part else 1
    samples = [name for name in images if len(name.parts) > depth]
    if not samples:
        raise DataError(_no_classes(path, images, names))
    ids = [str(name) for name in samples]
    files, places, problems, notes = image_files([path / name for name in samples], ids, path)
    samples, ids = [samples[place] for place in places], [ids[place] for place in places]
    folders = [name.parts[depth - 1] for name in samples]
    given = np.array([PART_NAMES[name.parts[0].lower()] for name in samples], np.str_) if by_part else None
    groups = groups_by_pattern(ids, options.group) if options.group else None
    return Dataset(
        name=path.resolve().name,
        kind=READER.kind,
        inputs=files,
        targets=classes(pd.Series(folders)),
        ids=tuple(ids),
        given=given,
        groups=groups,
        notes=(
            *notes,
            *_deeper(samples, depth),
            *_left_out(path, names, images, set(samples), depth),
            *torn(groups, given),
        ),
        problems=problems,
    )


def walk(path: Path) -> Iterator[PurePosixPath]:
    """All files below, as paths relative to it, in a fixed order; hidden ones and those of archivers stay out."""
    for folder, folders, files in os.walk(path, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        inside = PurePosixPath(Path(folder).relative_to(path).as_posix())
        for name in sorted(files):
            if not name.startswith("."):
                yield inside / name


def _has_parts(images: list[PurePosixPath]) -> bool:
    tops = {name.parts[0].lower() for name in images if len(name.parts) > 1}
    deep = any(len(name.parts) > 2 for name in images)
    return deep and bool(tops) and tops <= PART_NAMES.keys() and any(PART_NAMES[top] == "train" for top in tops)


def _deeper(samples: list[PurePosixPath], depth: int) -> tuple[str, ...]:
    deeper = [name for name in samples if len(name.parts) > depth + 1]
    if not deeper:
        return ()
    return (f"{len(deeper)} images lie in folders below a class folder (such as {deeper[0]}) and count for that class",)


def _left_out(
    path: Path, names: list[PurePosixPath], images: list[PurePosixPath], samples: set[PurePosixPath], depth: int
) -> tuple[str, ...]:
    notes = []
    loose = [str(name) for name in images if len(name.parts) <= depth]
    if loose:
        notes.append(f"{len(loose)} images lie in no class folder and are left out: {listed(loose, 3)}")
    if others := Counter(name.suffix.lower() or name.name for name in names if not is_image(Path(name))):
        kinds = listed([f"{count} {kind}" for kind, count in others.most_common()], 5)
        notes.append(f"files that are no images are left out: {kinds}")
    filled = {name.parts[depth - 1] for name in samples}
    tops = [path] if depth == 1 else [folder for folder in path.iterdir() if folder.name.lower() in PART_NAMES]
    empty = sorted(
        {
            folder.name
            for top in tops
            if top.is_dir()
            for folder in top.iterdir()
            if folder.is_dir() and folder.name not in filled and not folder.name.startswith((".", "__MACOSX"))
        }
    )
    if empty:
        notes.append(f"folders without a readable image are no classes: {listed(empty, 5)}")
    return tuple(notes)


def _no_classes(path: Path, images: list[PurePosixPath], names: list[PurePosixPath]) -> str:
    if images:
        return (
            f"{path} has {len(images)} images but no folder a class. Move the images of each class into a folder named "
            "like the class, or write a labels.csv with the columns path and label beside them."
        )
    if names:
        return f"{path} has {len(names)} files but no image ({', '.join(sorted(SUFFIXES))}), such as {names[0]}."
    return f"{path} is empty. Put the images of each class into a folder named like the class."


READER = Reader(kind="image-folder", recognise=recognise, read=read)
