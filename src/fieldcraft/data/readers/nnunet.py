"""The raw layout of nnU-Net and of the Medical Segmentation Decathlon: imagesTr, labelsTr and perhaps dataset.json.

Source: nnU-Net's documentation, dataset_format.md; medicaldecathlon.com.
"""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from fieldcraft.data.case_samples import Found, Pair, case_dataset
from fieldcraft.data.cases import ClassTable, Source
from fieldcraft.data.dataset import Dataset, Part, Problem, Reader, ReadOptions
from fieldcraft.data.near import listed
from fieldcraft.data.volumes.files import format_of, stem_of, suffix_of
from fieldcraft.errors import DataError

CHANNEL = re.compile(r"^(.+)_(\d{4})$")
IGNORE = "ignore"
"""The label that nnU-Net reserves for voxels without a label."""


def recognise(path: Path) -> str | None:
    """A folder with imagesTr and labelsTr."""
    there = path.is_dir() and (path / "imagesTr").is_dir() and (path / "labelsTr").is_dir()
    return "it has imagesTr and labelsTr" if there else None


def read(path: Path, options: ReadOptions) -> Dataset:
    """All cases with a label; those of imagesTs are the test part where labelsTs has their masks.

    Raises: DataError when dataset.json is damaged, or no case can be used.
    """
    said = _json(path / "dataset.json")
    pairs: list[Pair] = []
    problems: list[Problem] = []
    notes: list[str] = []
    parts: tuple[tuple[str, Part], ...] = (("Tr", "train"), ("Ts", "test"))
    tested = (path / "labelsTs").is_dir() and any(_files(path / "labelsTs"))
    for ending, part in parts:
        images, masks = _images(path / f"images{ending}"), _masks(path / f"labels{ending}")
        if part == "test" and not tested:
            if images:
                notes.append(f"{len(images):,} cases of imagesTs have no masks and are left out: predict them later")
            continue
        pairs += [
            Pair(
                name=name,
                images=tuple(_source(file) for file in images[name]),
                mask=_source(masks[name]),
                part=part if tested else None,
            )
            for name in sorted(images.keys() & masks.keys())
        ]
        problems += [_alone(name, f"labels{ending} has no mask of it") for name in sorted(images.keys() - masks.keys())]
        problems += [
            _alone(name, f"images{ending} has no image of it") for name in sorted(masks.keys() - images.keys())
        ]
    if not pairs:
        raise DataError(
            f"{path}: no file of labelsTr has the name of one in imagesTr (without _0000 and the suffix). It has "
            f"{listed(sorted(_images(path / 'imagesTr')), 3)} in imagesTr and "
            f"{listed(sorted(_masks(path / 'labelsTr')), 3)} in labelsTr."
        )
    if not said:
        notes.append("there is no dataset.json, which would name classes and channels")
    found = Found(
        pairs=_complete(pairs, problems),
        problems=tuple(problems),
        notes=tuple(notes),
        table=_table(said, path / "dataset.json"),
        channel_names=_channels(said),
    )
    return case_dataset(path, READER.kind, found, options)


def _images(folder: Path) -> dict[str, list[Path]]:
    """Files of each case, in the order of their channels. Without _0000 a file is a case of its own."""
    files = _files(folder)
    numbered = all(CHANNEL.match(stem_of(file.name)) for file in files)
    cases: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        match = CHANNEL.match(stem_of(file.name)) if numbered else None
        cases[match.group(1) if match else stem_of(file.name)].append(file)
    return dict(cases)


def _masks(folder: Path) -> dict[str, Path]:
    return {stem_of(file.name): file for file in _files(folder)}


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if not file.name.startswith(".") and suffix_of(file.name))


def _complete(pairs: list[Pair], problems: list[Problem]) -> tuple[Pair, ...]:
    """Cases with as many channels as most; the others become problems."""
    counts = [len(pair.images) for pair in pairs]
    usual = max(set(counts), key=counts.count)
    for pair in pairs:
        if len(pair.images) != usual:
            had = listed([source.path.name for source in pair.images], 6)
            problems.append(
                Problem(sample=pair.name, reason=f"it has {had}, where others have {usual} channels", kind="unpaired")
            )
    return tuple(pair for pair in pairs if len(pair.images) == usual)


def _source(file: Path) -> Source:
    return Source(path=file, format=format_of(file) or "picture")


def _alone(name: str, why: str) -> Problem:
    return Problem(sample=name, reason=why, kind="unpaired")


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        said = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}. Correct it, or move it away.") from error
    if not isinstance(said, dict):
        raise DataError(f"{path} must hold an object with labels and channel_names, but holds a {type(said).__name__}.")
    return said


def _table(said: dict[str, Any], origin: Path) -> ClassTable | None:
    """Classes by name; version 1 of the format has number to name, version 2 name to number."""
    labels = said.get("labels")
    if not labels:
        return None
    if not isinstance(labels, dict):
        raise DataError(f'{origin}: `labels` must be an object like {{"background": 0, "tumour": 1}}.')
    if regions := [name for name, value in labels.items() if isinstance(value, list)]:
        raise DataError(
            f"{origin}: {listed(map(str, regions))} are regions of several numbers, which are not trained here: give "
            "each number a name of its own."
        )
    try:
        pairs = [
            (str(value), int(key)) if str(key).isdigit() else (str(key), int(value)) for key, value in labels.items()
        ]
    except (TypeError, ValueError) as error:
        raise DataError(f"{origin}: `labels` must give each class one whole number ({error}).") from error
    kept = sorted((value, name) for name, value in pairs if name.lower() != IGNORE)
    return ClassTable(
        names=tuple(name for _, name in kept),
        values=tuple(value for value, _ in kept),
        void=tuple(value for name, value in pairs if name.lower() == IGNORE),
    )


def _channels(said: dict[str, Any]) -> tuple[str, ...]:
    named = said.get("channel_names") or said.get("modality") or {}
    if not isinstance(named, dict) or not all(str(key).isdigit() for key in named):
        return ()
    return tuple(str(named[key]) for key in sorted(named, key=lambda key: int(key)))


READER = Reader(kind="nnunet", recognise=recognise, read=read)
