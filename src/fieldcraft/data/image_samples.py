"""From paths of images and what is known of each to a data set; unreadable ones are named and left out."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fieldcraft.data.dataset import ImageFiles, Problem
from fieldcraft.data.images import Header, read_headers
from fieldcraft.errors import DataError


def image_files(
    paths: Sequence[Path], names: Sequence[str], origin: Path
) -> tuple[ImageFiles, npt.NDArray[np.int64], tuple[Problem, ...], tuple[str, ...]]:
    """The readable images, the places of these among `paths`, the problems, and notes.

    Raises: DataError when none can be read.
    """
    headers, problems = read_headers(paths, names)
    kept = [(place, header) for place, header in enumerate(headers) if header is not None]
    if not kept:
        shown = "; ".join(f"{problem.sample}: {problem.reason}" for problem in problems[:20])
        raise DataError(f"none of the {len(paths)} images in {origin} can be read. {shown}.")
    places = np.array([place for place, _ in kept], np.int64)
    files = ImageFiles(
        paths=tuple(paths[place] for place in places),
        sizes=np.array([(header.height, header.width) for _, header in kept], np.int64),
        channels=max(header.channels for _, header in kept),
        depth_bits=max(header.depth_bits for _, header in kept),
    )
    return files, places, problems, _mixed([header for _, header in kept])


def _mixed(headers: Sequence[Header]) -> tuple[str, ...]:
    """What differs from image to image."""
    notes = []
    sizes = {(header.height, header.width) for header in headers}
    if len(sizes) > 1:
        notes.append(f"images have {len(sizes)} different sizes: all are brought to one or a few, as the plan says")
    colours = Counter(header.channels for header in headers)
    if len(colours) > 1:
        notes.append(f"{colours[1]} gray and {colours[3]} colour images: all are read as colour")
    depths = Counter(header.depth_bits for header in headers)
    if len(depths) > 1:
        notes.append(
            "mixed depths ("
            + ", ".join(f"{count} of {bits} bits" for bits, count in sorted(depths.items()))
            + f"): all are read with {max(depths)} bits"
        )
    return tuple(notes)
