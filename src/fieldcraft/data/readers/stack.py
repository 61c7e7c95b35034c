"""One stack of slices with its masks: a TIFF file of many pages, or numbered pictures that look like neighbours.

Slices beside each other are nearly the same picture, so a random split would test on what was trained on. The stack is
cut into three blocks instead, for training, validation and test, with one slice dropped between.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from fieldcraft.data.case_samples import Pair, case_dataset
from fieldcraft.data.dataset import Dataset, Part, Reader, ReadOptions
from fieldcraft.data.images import Unreadable, load_image, read_header
from fieldcraft.data.pairing import LOOKED_AT, paired
from fieldcraft.data.readers.image_masks import pairs_of
from fieldcraft.data.volumes import tiff
from fieldcraft.errors import DataError, ReaderError

TEST, VALIDATION = 0.2, 0.2
"""Shares of the slices, and of those before the test block."""
LEAST = 8
"""Slices of a stack."""
LOOKS = 12
"""Pairs of slices that are compared."""
SIDE = 64
"""Pixels of the small copies that are compared."""
NEARER, OFTEN = 0.1, 0.9
"""By how much the correlation of neighbours is above that of slices far apart, and in which share of the pairs."""
NUMBER = re.compile(r"^(.*?)(\d+)$")


def recognise(path: Path) -> str | None:
    """A folder whose only pair is a TIFF of many pages, or whose numbered images look like slices of one volume."""
    if not path.is_dir():
        return None
    try:
        pairs = paired(path, LOOKED_AT).pairs
        if len(pairs) == 1 and pairs[0][1].suffix.lower() in tiff.SUFFIXES and tiff.pages(pairs[0][1]) >= LEAST:
            return f"its only image, {pairs[0][1].name}, is a stack"
        images = _in_order([(name, image) for name, image, _, part in pairs if part in (None, "train")])
        if images is None or len(images) != len(pairs):
            return None
        return "its numbered images look like slices of one volume" if neighbours(images) else None
    except Exception:  # recognition must not raise, and Pillow raises almost anything on damaged files
        return None


def read(path: Path, options: ReadOptions) -> Dataset:
    """The slices as cases, in blocks; each block is a group.

    Raises: DataError when the slices are too few, or the masks are not as many.
    """
    if options.group is not None:
        raise ReaderError("--group says which slices belong together, but a stack is one volume: use --as image-masks.")
    found = pairs_of(path, paired(path))
    first = found.pairs[0]
    if len(found.pairs) == 1:
        slices = _pages(first)
    else:
        ordered = _in_order([(pair.name, pair.images[0].path) for pair in found.pairs])
        if ordered is None:
            raise DataError(f"{path}: the slices of a stack must be numbered, with the same text before the number.")
        place = {image: at for at, image in enumerate(ordered)}
        slices = sorted(found.pairs, key=lambda pair: place[pair.images[0].path])
    if len(slices) < LEAST:
        raise DataError(f"{path} is a stack of {len(slices)} slices: {LEAST} at least are needed to part it in blocks.")
    kept, note = blocks(slices)
    return case_dataset(
        path, READER.kind, replace(found, pairs=kept, notes=(*found.notes, note), within_volume=True), options
    )


def blocks(slices: list[Pair]) -> tuple[tuple[Pair, ...], str]:
    """Slices in three blocks, one dropped between each, and what was done, in words."""
    count = len(slices)
    test = max(1, round(TEST * count))
    validation = max(1, round(VALIDATION * (count - test)))
    train = count - test - validation - 2
    spans: tuple[tuple[Part, int, int], ...] = (
        ("train", 0, train),
        ("validation", train + 1, train + 1 + validation),
        ("test", count - test, count),
    )
    kept = tuple(
        replace(pair, part=part, group=f"{part} block") for part, low, high in spans for pair in slices[low:high]
    )
    shown = ", ".join(f"{part} {low + 1} to {high}" for part, low, high in spans)
    return kept, (
        f"one stack of {count} slices, parted in blocks with one slice dropped between ({shown}, counted from 1): all "
        "parts are of one volume, so the result says nothing of another one (--as image-masks parts them by chance)"
    )


def neighbours(images: list[Path]) -> bool:
    """Whether images beside each other in this order are far more alike than images half the set apart."""
    sizes = {(header.height, header.width) for header in map(read_header, images)}
    if len(sizes) > 1 or len(images) < LEAST:
        return False
    half = len(images) // 2
    places = np.unique(np.linspace(0, half - 2, min(LOOKS, half - 1)).astype(np.int64))
    small = {at: _small(images[at]) for place in places for at in (place, place + 1, place + half)}
    near = np.array([_correlation(small[place], small[place + 1]) for place in places])
    far = np.array([_correlation(small[place], small[place + half]) for place in places])
    return bool(np.median(near - far) > NEARER and (near > far).mean() >= OFTEN)


def _small(path: Path) -> np.ndarray:
    try:
        return load_image(path, height=SIDE, width=SIDE, channels=1, depth_bits=8).astype(np.float64).ravel()
    except Unreadable:
        return np.zeros(SIDE * SIDE)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 else 0.0


def _in_order(named: list[tuple[str, Path]]) -> list[Path] | None:
    """Images by their number, when all names are one text and consecutive numbers; else None."""
    matches = [(NUMBER.match(name), image) for name, image in named]
    numbered = [(match.group(1), int(match.group(2)), image) for match, image in matches if match]
    if len(numbered) < max(LEAST, len(named)) or len({text for text, _, _ in numbered}) > 1:
        return None
    numbered.sort(key=lambda one: one[1])
    numbers = [number for _, number, _ in numbered]
    return (
        [image for _, _, image in numbered] if numbers == list(range(numbers[0], numbers[0] + len(numbers))) else None
    )


def _pages(pair: Pair) -> list[Pair]:
    """Pages of a stack with those of its masks. Raises: DataError when they are not as many."""
    image, mask = pair.images[0], pair.mask
    if image.format != "tiff-stack":
        raise DataError(f"{image.path} is a single picture, no stack of slices.")
    many, masks = tiff.pages(image.path), tiff.pages(mask.path)
    if many != masks:
        raise DataError(
            f"{image.path} has {many} pages, but its masks {mask.path.name} have {masks}: one a page is needed."
        )
    return [
        Pair(name=f"{pair.name}/{page:04d}", images=(replace(image, page=page),), mask=replace(mask, page=page))
        for page in range(many)
    ]


READER = Reader(kind="stack", recognise=recognise, read=read)
