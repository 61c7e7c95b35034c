"""Images and masks in two folders, or side by side with endings like _mask; any format, paired by name."""

from pathlib import Path

from fieldcraft.data.case_samples import Found, Pair, case_dataset
from fieldcraft.data.cases import Source
from fieldcraft.data.dataset import Dataset, Reader, ReadOptions
from fieldcraft.data.pairing import Pairing, paired, recognised
from fieldcraft.data.volumes.files import format_of
from fieldcraft.errors import DataError


def recognise(path: Path) -> str | None:
    """A folder in which most masks have an image of their name."""
    return "it has images and masks of the same names" if recognised(path) else None


def read(path: Path, options: ReadOptions) -> Dataset:
    """Every image that has a mask.

    Raises: DataError when none has, or no pair can be used.
    """
    return case_dataset(path, READER.kind, pairs_of(path, paired(path)), options)


def pairs_of(path: Path, pairing: Pairing) -> Found:
    """Pairs with the formats of their files. Raises: DataError when there are none."""
    if not pairing.pairs:
        raise DataError(
            f"{path} holds no image with a mask of its name. Put them into images/ and masks/ under the same names, or "
            "side by side with _mask at the end of the mask's name."
        )
    train_only = {part for _, _, _, part in pairing.pairs} <= {None, "train"}
    return Found(
        pairs=tuple(
            Pair(name=name, images=(_source(image),), mask=_source(mask), part=None if train_only else part)
            for name, image, mask, part in pairing.pairs
        ),
        problems=pairing.problems,
        notes=pairing.notes,
    )


def _source(path: Path) -> Source:
    return Source(path=path, format=format_of(path) or "picture")


READER = Reader(kind="image-masks", recognise=recognise, read=read)
