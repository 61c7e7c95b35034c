"""Masks of files: one after the other, each written whole in its own format; what cannot be read is named."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fieldcraft.data.cases import Source
from fieldcraft.data.dataset import Problem
from fieldcraft.data.images import Unreadable
from fieldcraft.data.near import did_you_mean
from fieldcraft.data.volumes import tiff
from fieldcraft.data.volumes.files import format_of, read_header, read_image, stem_of, suffix_of
from fieldcraft.data.volumes.write import mask_name, write_map, write_mask
from fieldcraft.errors import DataError, FieldcraftError
from fieldcraft.prediction.masks.model import MaskModel, PredictedMask
from fieldcraft.records.files import write_whole

CHANNEL = re.compile(r"^(.*)_(\d{4})$")
"""case_0000, case_0001: the channels of one case, as nnU-Net names them."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """An image to be predicted: one file, or several that hold a channel each."""

    name: str
    images: tuple[Source, ...]


@dataclass(frozen=True, kw_only=True)
class Done:
    """A mask that is there."""

    name: str
    mask: Path
    before: bool
    """Whether it was there already, and was left as it is."""


def predict_files(
    model: MaskModel, sources: Sequence[Path], out: Path, *, probabilities: bool = False
) -> Iterator[Done | Problem]:
    """Write the mask of every file, and of every file in a folder, into `out`, one at a time.

    A mask has the format, geometry and orientation of its image; beside it lies `NAME_uncertainty`, the entropy of the
    probabilities as a share of the largest possible (.npy for DICOM), and with `probabilities` `NAME_probabilities.npz`
    with (classes, *spatial). The mask comes last: one that is there is complete and is left, so that the same call goes
    on where it was stopped. Where `probabilities` are asked for and lack beside it, they alone are written: somebody
    may have corrected the mask by hand.
    """
    cases, problems = cases_of(sources, model.cases.sample.channels, len(model.cases.sample.patch))
    yield from problems
    for case in cases:
        path = out / mask_name(case.images[0])
        before = path.exists()
        if before and (not probabilities or _shares_of(path).exists()):
            yield Done(name=case.name, mask=path, before=True)
            continue
        try:
            found = _predicted(model, case)
            if probabilities:
                _arrays(_shares_of(path), found.probabilities, found.names)
            if not before:
                _write(model, case, found, path)
            yield Done(name=case.name, mask=path, before=before)
        except (Unreadable, DataError, ValueError) as error:
            yield Problem(sample=case.name, reason=str(error))


def cases_of(sources: Sequence[Path], channels: int, spatial: int) -> tuple[tuple[Case, ...], tuple[Problem, ...]]:
    """The images among files and folders: channels put together, stacks for a model of slices taken apart."""
    paths: list[Path] = []
    problems: list[Problem] = []
    for source in sources:
        if not source.exists():
            beside = [entry.name for entry in source.parent.iterdir()] if source.parent.is_dir() else []
            reason = f"there is no such file.{did_you_mean(source.name, beside)}"
            problems.append(Problem(sample=str(source), reason=reason))
        elif source.is_dir():
            inside = [path for path in sorted(source.rglob("*")) if path.is_file() and _named(path)]
            if inside and all(suffix_of(path.name).lower() in ("", ".dcm") for path in inside):
                paths.append(source)
                continue
            if not inside:
                problems.append(Problem(sample=str(source), reason="the folder holds no image"))
            paths += inside
        else:
            paths.append(source)
    cases: list[Case] = []
    for name, several in _together(paths, channels).items():
        try:
            cases += _cases(name, several, spatial)
        except (Unreadable, FieldcraftError) as error:
            problems.append(Problem(sample=name, reason=str(error)))
    return tuple(cases), tuple(problems)


def _named(path: Path) -> bool:
    return not path.name.startswith(".") and format_of(path) is not None


def _together(paths: Sequence[Path], channels: int) -> dict[str, list[Path]]:
    """Files by case: those whose names end in a channel's number go together where a model has several."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        match = CHANNEL.match(stem_of(path.name)) if channels > 1 else None
        name = str(path.with_name(match.group(1))) if match else str(path)
        found.setdefault(name, []).append(path)
    return found


def _cases(name: str, paths: Sequence[Path], spatial: int) -> list[Case]:
    sources = []
    for path in sorted(paths):
        kind = format_of(path)
        if kind is None:
            raise DataError("it is no image that is known by its name (.nii.gz, .nrrd, .mha, .tif, .png, ...)")
        sources.append(Source(path=path, format=kind))
    if len(sources) == 1 and sources[0].format == "tiff-stack" and spatial == 2:
        pages = range(tiff.pages(sources[0].path))
        return [
            Case(name=f"{name}#{page}", images=(Source(path=sources[0].path, format="tiff-stack", page=page),))
            for page in pages
        ]
    return [Case(name=name, images=tuple(sources))]


def _predicted(model: MaskModel, case: Case) -> PredictedMask:
    geometry = read_header(case.images[0]).geometry
    image = np.concatenate([read_image(source) for source in case.images])
    spatial, channels = len(model.cases.sample.patch), model.cases.sample.channels
    if len(geometry.shape) != spatial or len(image) not in (channels, 1, 3, 4):
        raise DataError(
            f"the model takes images with {spatial} spatial axes and {channels} channel(s), but this one has "
            f"{len(geometry.shape)} and {len(image)}"
        )
    return model.predicted(_with_channels(image, channels), geometry.spacing)


def _write(model: MaskModel, case: Case, found: PredictedMask, path: Path) -> None:
    """The map of uncertainty, then the mask."""
    stem, suffix = stem_of(path.name), suffix_of(path.name)
    if case.images[0].format == "dicom":
        _array(path.with_name(f"{stem}_uncertainty.npy"), found.uncertainty)
    else:
        ending = ".tif" if case.images[0].format == "picture" else suffix
        write_map(found.uncertainty, case.images[0], path.with_name(f"{stem}_uncertainty{ending}"))
    write_mask(found.mask, case.images[0], path, model.table)


def _shares_of(mask: Path) -> Path:
    """Where the probabilities beside a mask lie."""
    return mask.with_name(f"{stem_of(mask.name)}_probabilities.npz")


def _with_channels(image: npt.NDArray[np.generic], channels: int) -> npt.NDArray[np.generic]:
    """Gray pictures for a model of colours, and the other way round; everything else as it is."""
    if len(image) == channels:
        return image
    if channels == 3 and len(image) == 1:
        return np.repeat(image, 3, axis=0)
    if channels == 3 and len(image) == 4:
        return image[:3]
    if channels == 1 and len(image) in (3, 4):
        gray: npt.NDArray[np.float32] = image[:3].astype(np.float32).mean(axis=0, keepdims=True)
        return gray
    raise DataError(f"the model takes images with {channels} channel(s), but this one has {len(image)}")


def _arrays(path: Path, shares: npt.NDArray[np.float32], names: Sequence[str]) -> None:
    buffer = BytesIO()
    np.savez_compressed(buffer, probabilities=shares, names=np.array(names))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())


def _array(path: Path, values: npt.NDArray[np.float32]) -> None:
    buffer = BytesIO()
    np.save(buffer, values, allow_pickle=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())
