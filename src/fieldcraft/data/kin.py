"""Groups that names and folders tell: slices of one volume, scans of one patient."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from fieldcraft.data.groups import PART_NAMES

SLICE = re.compile(r"^(.+?)[_\-. ](?:slice|slc|frame|page|z|s|t)[_\-. ]?\d+$", re.I)
"""volume_slice_012, scan-z7, case_frame01: the group is what stands before."""
PATIENT = re.compile(r"^((?:patient|subject|sub|pat|subj)[_\-. ]?[a-z]*\d+)(?:[_\-. ].*)?$", re.I)
"""patient001_frame01, sub-02_ses-1: the group is the patient."""
Groups = npt.NDArray[np.str_]


def kin(names: Sequence[str]) -> tuple[Groups | None, tuple[str, ...]]:
    """The group of each name, and how it was told; None where every name stands alone.

    Folders that are parts, such as test, are no groups: a patient in two of them is one.
    """
    names = [_without_part(name) for name in names]
    for told, words in (
        ([_matched(PATIENT, name) for name in names], "patients, as names tell"),
        ([_matched(SLICE, name) for name in names], "slices of one volume, as names tell"),
        ([str(PurePosixPath(name).parent) if "/" in name else None for name in names], "folders"),
    ):
        counts = Counter(one for one in told if one is not None)
        if not counts or max(counts.values()) < 2 or sum(counts.values()) < 0.9 * len(names) or len(counts) < 2:
            continue
        first = next(one for one in told if one is not None and counts[one] > 1)
        groups = np.array([one or name for one, name in zip(told, names, strict=True)], np.str_)
        note = f"cases are grouped by {words} (such as {first!r}, {counts[first]} cases); --group says otherwise"
        return groups, (note,)
    return None, ()


def _without_part(name: str) -> str:
    path = PurePosixPath(name)
    return "/".join((*(one for one in path.parts[:-1] if one.lower() not in PART_NAMES), path.name))


def _matched(pattern: re.Pattern[str], name: str) -> str | None:
    """What the pattern finds in the last part of a name, with its folder before it."""
    path = PurePosixPath(name)
    match = pattern.match(path.name)
    if match is None:
        return None
    return str(path.parent / match.group(1)) if "/" in name else match.group(1)
