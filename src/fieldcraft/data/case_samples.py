"""From pairs of files to a data set of cases; what cannot be used is named and left out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fieldcraft.data.cases import Case, Cases, ClassTable, Geometry, Source, Spatial
from fieldcraft.data.class_numbers import FILE, Seen, derived, from_file, look, presence
from fieldcraft.data.dataset import Dataset, Part, Problem, ReadOptions, Targets
from fieldcraft.data.groups import groups_by_pattern, torn
from fieldcraft.data.images import Unreadable
from fieldcraft.data.kin import kin
from fieldcraft.data.volumes.files import read_header
from fieldcraft.data.volumes.header import SMALL, BadFile, Header, too_many_axes
from fieldcraft.errors import DataError

SAME_SPACING = 0.01
"""Relative difference of spacings that counts as none."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Where an image and its mask lie."""

    name: str
    images: tuple[Source, ...]
    """One or several files, whose channels follow each other."""
    mask: Source
    part: Part | None = None
    group: str | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a reader found in a folder, before a header is read."""

    pairs: tuple[Pair, ...]
    problems: tuple[Problem, ...] = ()
    """Images without a mask, and masks without an image."""
    notes: tuple[str, ...] = ()
    table: ClassTable | None = None
    """Classes, where the source names them."""
    channel_names: tuple[str, ...] = ()
    within_volume: bool = False


@dataclass(frozen=True, kw_only=True)
class _Usable:
    pair: Pair
    case: Case


def case_dataset(path: Path, kind: str, found: Found, options: ReadOptions) -> Dataset:
    """Cases of one number of axes and channels, with the classes of their masks.

    Raises: DataError when no case can be used.
    """
    if options.task not in (None, "segmentation"):
        raise DataError(f"{path} holds images with masks, whose task is segmentation, not {options.task}.")
    usable, problems = _usable(found)
    usable, odd = _of_one_kind(usable)
    problems = [*found.problems, *problems, *odd]
    seen = look([one.pair.mask for one in usable], [one.case.geometry.voxels for one in usable])
    given_table = _table(path, found, options)
    broken = _broken(usable, seen, given_table is None)
    problems += broken.values()
    kept = [place for place in range(len(usable)) if place not in broken]
    if not kept:
        _nothing(path, found, problems)
    usable = [usable[place] for place in kept]
    seen = replace(seen, counts=tuple(seen.counts[place] for place in kept))
    pictures = all(one.pair.mask.format in ("picture", "tiff-stack") for one in usable)
    table, derivation = (given_table, ()) if given_table else derived(seen, options.void, pictures)
    cases = tuple(one.case for one in usable)
    ids = tuple(case.name for case in cases)
    parts = [one.pair.part for one in usable]
    given = np.array([part or "train" for part in parts], np.str_) if any(parts) else None
    groups, why = _groups(usable, ids, options)
    return Dataset(
        name=path.resolve().name,
        kind=kind,
        inputs=Cases(
            cases=cases,
            table=table,
            spatial=_spatial(cases[0].geometry),
            channels=max(case.channels for case in cases),
            channel_names=found.channel_names,
            within_volume=found.within_volume,
        ),
        targets=Targets(task="segmentation", values=presence(seen, table), names=table.names),
        ids=ids,
        given=given,
        groups=groups,
        notes=(*found.notes, *derivation, *_looked(seen), *why, *torn(groups, given)),
        problems=tuple(problems),
    )


def _usable(found: Found) -> tuple[list[_Usable], list[Problem]]:
    usable: list[_Usable] = []
    problems: list[Problem] = []
    for pair in found.pairs:
        try:
            usable.append(_Usable(pair=pair, case=_case(pair, found.channel_names)))
        except BadFile as error:
            problems.append(Problem(sample=pair.name, reason=str(error), kind=error.kind))
        except Unreadable as error:
            problems.append(Problem(sample=pair.name, reason=str(error)))
    return usable, problems


def _case(pair: Pair, channel_names: Sequence[str]) -> Case:
    """One case from its headers. Raises: BadFile when image and mask do not fit each other."""
    headers = [_named(source) for source in pair.images]
    mask = _named(pair.mask)
    first = headers[0]
    axes = len(first.geometry.shape)
    if axes == 3 and first.channels > 1 and pair.images[0].format == "nifti" and first.channels != len(channel_names):
        raise too_many_axes((*first.geometry.shape, first.channels))
    for other, source in zip(headers[1:], pair.images[1:], strict=True):
        if other.geometry.shape != first.geometry.shape:
            raise BadFile(
                f"{source.path.name} has {_sides(other.geometry)} voxels, but {pair.images[0].path.name} "
                f"{_sides(first.geometry)}: all channels of a case must have one shape",
                "shape-mismatch",
            )
    if mask.geometry.shape != first.geometry.shape:
        raise BadFile(_shapes(first.geometry, mask), "shape-mismatch")
    _placed_alike(first.geometry, mask.geometry)
    return Case(
        name=pair.name,
        images=pair.images,
        mask=pair.mask,
        geometry=first.geometry,
        mask_geometry=mask.geometry,
        channels=sum(header.channels for header in headers),
        dtype=_common([header.dtype for header in headers]),
    )


def _named(source: Source) -> Header:
    """Its header. Raises: BadFile naming the file, as a case has several."""
    try:
        return read_header(source)
    except Unreadable as error:
        kind = error.kind if isinstance(error, BadFile) else "unreadable"
        raise BadFile(f"{source.path.parent.name}/{source.path.name}: {error}", kind) from error


def _shapes(image: Geometry, mask: Header) -> str:
    has = f"the mask has {_sides(mask.geometry)} voxels, but the image {_sides(image)}"
    if len(image.shape) != len(mask.geometry.shape):
        return f"{has}: one is a volume and the other is not"
    if mask.geometry.shape == image.shape[::-1]:
        return f"{has}: the axes of one are turned round; write both in the same order"
    larger = all(a >= b for a, b in zip(mask.geometry.shape, image.shape, strict=True))
    why = ": the mask is larger than its image" if larger else ""
    return f"{has}{why}; both must have one shape (resample one to the other, masks with nearest neighbour)"


def _placed_alike(image: Geometry, mask: Geometry) -> None:
    """Raises: BadFile for other spacings or axes that point elsewhere; small shifts are an audit's warning."""
    if "mm" not in (image.unit, mask.unit) or image.unit != mask.unit:
        return
    if any(abs(a - b) > SAME_SPACING * max(a, b) for a, b in zip(image.spacing, mask.spacing, strict=True)):
        shown = " and ".join(" x ".join(f"{size:.4g}" for size in one.spacing) for one in (mask, image))
        raise BadFile(
            f"voxels of mask and image are {shown} mm apart: both must have one spacing; correct the wrong header",
            "spacing-mismatch",
        )
    if image.orientation != mask.orientation:
        raise BadFile(
            f"the axes of the mask point to {mask.orientation}, those of the image to {image.orientation}: reorient "
            "one like the other, or correct the wrong header",
            "orientation-mismatch",
        )


def _of_one_kind(usable: list[_Usable]) -> tuple[list[_Usable], list[Problem]]:
    """Cases of the commonest number of axes and of channels; gray and colour pictures go together."""
    problems: list[Problem] = []
    if len(axes := Counter(len(one.case.geometry.shape) for one in usable)) > 1:
        usual = axes.most_common(1)[0][0]
        for one in usable:
            if (has := len(one.case.geometry.shape)) != usual:
                what = (
                    f"it has {has} axes among {axes[usual]:,} cases with {usual}: 2-D and 3-D are not trained together"
                )
                problems.append(Problem(sample=one.case.name, reason=what, kind="mixed-dimensions"))
        usable = [one for one in usable if len(one.case.geometry.shape) == usual]
    channels = Counter(one.case.channels for one in usable)
    pictures = all(source.format == "picture" for one in usable for source in one.case.images)
    if len(channels) > 1 and not (pictures and channels.keys() <= {1, 3}):
        usual = channels.most_common(1)[0][0]
        for one in usable:
            if one.case.channels != usual:
                what = f"it has {one.case.channels} channel(s) among {channels[usual]:,} cases with {usual}"
                problems.append(Problem(sample=one.case.name, reason=what, kind="mixed-channels"))
        usable = [one for one in usable if one.case.channels == usual]
    return usable, problems


def _table(path: Path, found: Found, options: ReadOptions) -> ClassTable | None:
    """Classes from a classes.csv, or as the source names them; `--void` takes numbers away from them."""
    folder = path if path.is_dir() else path.parent
    if (folder / FILE).is_file():
        return from_file(folder / FILE, options.void)
    if found.table is None or not options.void:
        return found.table
    kept = [(name, value) for name, value in zip(found.table.names, found.table.values, strict=True)]
    kept = [(name, value) for name, value in kept if value not in options.void]
    return replace(
        found.table,
        names=tuple(name for name, _ in kept),
        values=tuple(value for _, value in kept),
        void=tuple(sorted({*found.table.void, *options.void})),
    )


def _broken(usable: list[_Usable], seen: Seen, deriving: bool) -> dict[int, Problem]:
    found = {
        place: Problem(sample=usable[place].case.name, reason=f"its mask: {error}", kind=error.kind)
        for place, error in seen.broken.items()
    }
    if deriving:
        for place, why in seen.smears.items():
            name = usable[place].case.name
            found[place] = Problem(sample=name, reason=f"its mask: {why}", kind="lossy-mask")
    return found


def _groups(
    usable: list[_Usable], ids: tuple[str, ...], options: ReadOptions
) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """As asked for, as the source says, or as names and folders tell."""
    if options.group is not None:
        return groups_by_pattern(ids, options.group), ()
    if any(one.pair.group is not None for one in usable):
        return np.array([one.pair.group or one.case.name for one in usable], np.str_), ()
    return kin(ids)


def _looked(seen: Seen) -> tuple[str, ...]:
    read = sum(one is not None for one in seen.counts)
    if read == len(seen.counts):
        return ()
    return (f"{read:,} of {len(seen.counts):,} masks were read to find the classes",)


def _nothing(path: Path, found: Found, problems: Sequence[Problem]) -> None:
    """Raises: DataError, since no case can be used."""
    shown = "".join(f"\n  {problem.sample}: {problem.reason}" for problem in problems[:20])
    raise DataError(f"none of the {len(found.pairs)} cases in {path} can be used:{shown}")


def _common(types: Sequence[str]) -> str:
    """The type that holds the values of all files of a case."""
    whole = np.result_type(*(np.dtype(name) for name in types))
    return whole.name if whole.name in SMALL else "float32"


def _spatial(geometry: Geometry) -> Spatial:
    match len(geometry.shape):
        case 1:
            return 1
        case 2:
            return 2
        case 3:
            return 3
        case other:
            raise ValueError(f"{other} spatial axes.")


def _sides(geometry: Geometry) -> str:
    return " x ".join(map(str, geometry.shape))
