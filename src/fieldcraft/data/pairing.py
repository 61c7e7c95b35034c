"""Which mask belongs to which image: by folders (images, masks) or endings (_mask), and the names that remain."""

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from fieldcraft.data.dataset import Part, Problem
from fieldcraft.data.groups import PART_NAMES
from fieldcraft.data.near import listed
from fieldcraft.data.volumes import dicom
from fieldcraft.data.volumes.files import stem_of, suffix_of

IMAGES = frozenset(
    "image images img imgs imagery volume volumes scan scans input inputs raw x jpegimages leftimg8bit".split()
)
MASKS = frozenset(
    "mask masks label labels seg segs segmentation segmentations segmentationclass annotation annotations gt gtfine "
    "groundtruth ground_truth ground-truth target targets truth y".split()
)
"""Names of folders, in lower case."""
MASK_END = re.compile(r"^(.*?)[_\-. ](?:masks?|labels?|seg|segmentations?|gt|groundtruth|annotations?|truth)$", re.I)
IMAGE_END = re.compile(r"^(.*?)[_\-. ](?:images?|img|volume|vol|scan|raw|orig)$", re.I)
START = re.compile(r"^(?:images?|img|masks?|labels?|seg|segmentation|gt|volume)[_\-. ](.+)$", re.I)
LOOKED_AT = 50_000
"""Files that recognition looks at."""


@dataclass(frozen=True, kw_only=True)
class Pairing:
    """Images with their masks, by name."""

    pairs: tuple[tuple[str, Path, Path, Part | None], ...]
    """(name, image, mask, part)."""
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _File:
    path: PurePosixPath
    """Below the data folder."""
    key: str
    """The path without folders of images, masks and parts, and without the suffix."""
    part: Part | None


def paired(path: Path, most: int | None = None) -> Pairing:
    """Every image with its mask. `most`: files that are looked at; None: all.

    Masks lie in a folder named like one (masks, labels, annotations, ...), or their names end like one (_mask, _seg,
    ...). Names must agree without suffix, then also without endings and beginnings such as _mask or image_.
    """
    files = list(islice(_walk(path), most))
    if not any(_like_a_mask(file) for file in files):
        return Pairing(pairs=(), problems=(), notes=())
    images, masks, others = _sorted(files)
    by_key: dict[tuple[Part | None, str], list[_File]] = defaultdict(list)
    by_core: dict[tuple[Part | None, str], list[_File]] = defaultdict(list)
    for mask in masks:
        by_key[mask.part, mask.key].append(mask)
        by_core[mask.part, _core(mask.key)].append(mask)
    pairs: list[tuple[str, Path, Path, Part | None]] = []
    problems: list[Problem] = []
    used: set[PurePosixPath] = set()
    lost: list[_File] = []
    for image in images:
        fitting = by_key.get((image.part, image.key)) or by_core.get((image.part, _core(image.key))) or []
        if len(fitting) == 1:
            used.add(fitting[0].path)
            pairs.append((_name(image), path / image.path, path / fitting[0].path, image.part))
        elif fitting:
            which = listed(str(one.path) for one in fitting)
            used |= {one.path for one in fitting}
            problems.append(Problem(sample=str(image.path), reason=f"several masks fit it: {which}", kind="unpaired"))
        else:
            lost.append(image)
    has_mask = {part for _, _, _, part in pairs}
    unlabelled = [image for image in lost if image.part is not None and image.part not in has_mask]
    problems += [
        Problem(sample=str(image.path), reason="no mask has its name", kind="unpaired")
        for image in lost
        if image not in unlabelled
    ]
    problems += [
        Problem(sample=str(mask.path), reason="a mask without an image of its name", kind="unpaired")
        for mask in masks
        if mask.path not in used
    ]
    return Pairing(pairs=tuple(sorted(pairs)), problems=tuple(problems), notes=_notes(unlabelled, others))


def _sorted(files: list[PurePosixPath]) -> tuple[list[_File], list[_File], list[PurePosixPath]]:
    """Images, masks, and files that are neither."""
    folders = {part.lower() for file in files for part in file.parts[:-1]}
    by_folder = bool(folders & MASKS)
    named = bool(folders & IMAGES)
    images: list[_File] = []
    masks: list[_File] = []
    others: list[_File] = []
    for file in files:
        inside = [part.lower() for part in file.parts[:-1]]
        if by_folder:
            is_mask, is_image = any(part in MASKS for part in inside), any(part in IMAGES for part in inside)
            is_image = not is_mask and (is_image or not named)
        else:
            is_mask = MASK_END.match(_stem(file)) is not None
            is_image = not is_mask
        (masks if is_mask else images if is_image else others).append(_File(file, *_key(file)))
    return images, masks, [one.path for one in others]


def _like_a_mask(file: PurePosixPath) -> bool:
    """Whether its folder or its ending is that of a mask: a quick look, since folders of classes come this way, too."""
    return any(part.lower() in MASKS for part in file.parts[:-1]) or MASK_END.match(_stem(file)) is not None


def _key(file: PurePosixPath) -> tuple[str, Part | None]:
    part: Part | None = None
    kept: list[str] = []
    for folder in file.parts[:-1]:
        lower = folder.lower()
        if lower in PART_NAMES:
            part = PART_NAMES[lower]
        elif lower not in MASKS and lower not in IMAGES:
            kept.append(folder)
    return "/".join([*kept, _stem(file)]), part


def _core(key: str) -> str:
    """A key without what names a mask or an image at either end of its last part."""
    folder, _, stem = key.rpartition("/")
    for pattern in (MASK_END, IMAGE_END, START):
        if match := pattern.match(stem):
            stem = match.group(1)
    return f"{folder}/{stem}" if folder else stem


def _name(image: _File) -> str:
    """What a case is called: its key, under its part."""
    return f"{image.part}/{image.key}" if image.part else image.key


def _stem(file: PurePosixPath) -> str:
    return stem_of(file.name)


def _walk(path: Path) -> Iterator[PurePosixPath]:
    """Files of images below, and folders of DICOM series, as paths relative to it, in a fixed order."""
    for folder, folders, files in os.walk(path, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        inside = PurePosixPath(Path(folder).relative_to(path).as_posix())
        shown = sorted(name for name in files if not name.startswith(".") and suffix_of(name))
        slices = [name for name in shown if suffix_of(name).lower() in dicom.SUFFIXES]
        if len(slices) > 1 and len(inside.parts) > 0 and inside.name.lower() not in IMAGES | MASKS:
            yield inside
            shown = [name for name in shown if name not in slices]
        for name in shown:
            yield inside / name


def _notes(unlabelled: list[_File], others: list[PurePosixPath]) -> tuple[str, ...]:
    notes = []
    if unlabelled:
        parts = listed(sorted({str(image.part) for image in unlabelled}))
        notes.append(
            f"{len(unlabelled):,} images of the part {parts} have no masks and are left out: predict them later"
        )
    if others:
        notes.append(
            f"{len(others):,} files lie in no folder of images or masks and are left out (such as {others[0]})"
        )
    return tuple(notes)


def recognised(path: Path) -> bool:
    """Whether at least half of the masks in a folder have an image."""
    if not path.is_dir():
        return False
    try:
        found = paired(path, LOOKED_AT)
    except OSError:
        return False
    alone = sum(problem.reason.startswith("a mask without") for problem in found.problems)
    return len(found.pairs) > alone
