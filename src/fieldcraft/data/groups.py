"""Groups of samples that belong together, and parts that a source names."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fieldcraft.data.dataset import Part
from fieldcraft.data.near import listed
from fieldcraft.errors import DataError

PART_NAMES: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "t10k": "test",
}
"""How folders, files and columns call the parts, in lower case."""


def groups_by_pattern(ids: Sequence[str], pattern: str) -> npt.NDArray[np.str_]:
    """The first group of the regular expression (or all that it matches) in each id.

    Raises: DataError when it is no regular expression, or when it is not found in some ids.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise DataError(f"--group {pattern!r} is neither a column nor a regular expression ({error}).") from error
    matches = [expression.search(name) for name in ids]
    if missed := [name for name, match in zip(ids, matches, strict=True) if match is None]:
        raise DataError(
            f"--group {pattern!r} is not found in {len(missed)} of {len(ids)} names, such as {listed(missed, 3)}. "
            "It must match every path below the data folder."
        )
    found = [match.group(1 if expression.groups else 0) for match in matches if match]
    return np.array([name or "" for name in found], dtype=np.str_)


def parts_from_column(values: Sequence[object], origin: str) -> tuple[npt.NDArray[np.str_], tuple[str, ...]]:
    """The part of each sample from a column of names; blank ones count as training, with a note.

    Raises: DataError naming values that are no parts.
    """
    text = ["" if value is None or value != value else str(value).strip().lower() for value in values]
    if odd := sorted({name for name in text if name and name not in PART_NAMES}):
        raise DataError(
            f"the split column of {origin} must hold train, validation or test, but holds {listed(odd, 5)}."
        )
    blank = text.count("")
    notes = (f"{blank} samples without a part in the split column count as training",) if blank else ()
    return np.array([PART_NAMES[name or "train"] for name in text], dtype=np.str_), notes


def torn(groups: npt.NDArray[np.str_] | None, given: npt.NDArray[np.str_] | None) -> tuple[str, ...]:
    """A note when the source's own parts tear groups apart."""
    if groups is None or given is None:
        return ()
    pairs = np.unique(np.stack([groups, given.astype(np.str_)]), axis=1)[0]
    names, counts = np.unique(pairs, return_counts=True)
    if not (counts > 1).any():
        return ()
    return (
        f"{int((counts > 1).sum())} groups lie in more than one given part (such as {names[counts > 1][0]!r}): "
        "test results may look better than they are",
    )
