"""Whether labels survive a mirroring, as far as masks alone can tell.

What forbids it are classes that only their side tells apart, such as a left and a right organ: two that are alike in
size and look and lie beside each other along the axis, in the same order in nearly all cases. What allows it is that no
class keeps to one side: over the cases, or, where classes come in many pieces such as cells, within each case. Between
the two lie organs that are always on one side but look like nothing else.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from fieldcraft.fingerprint.cases.one_case import OneCase
from fieldcraft.records.segmentation import Mirror

FEW, ENOUGH = 8, 20
"""Cases below which nothing is told, and from which on a mirroring may be called right."""
NEARLY_ALL = 0.9
LIKE_SIZE = 2.0
"""Largest ratio of the median sizes of two classes that are alike."""
LIKE_LOOK = 1.0
"""Largest difference of their median intensities, in deviations."""
BESIDE = 0.5
"""Least distance of their centres along the axis, in mean extents."""
MANY = 20
"""Pieces of a class in the middle case, from which on a class is looked at within cases."""
EITHER_SIDE = 0.25
"""Share of them that lies on either side of the middle in nearly all cases, at least, when they are scattered."""
TWO_ERRORS = 2.0
"""Distance of a share from a half, in standard errors, from which on a class keeps to a side."""


def mirrors(cases: Sequence[OneCase], names: tuple[str, ...], spatial: int) -> tuple[Mirror, ...]:
    """An entry an axis."""
    return tuple(_mirror(cases, names, axis) for axis in range(spatial))


def _mirror(cases: Sequence[OneCase], names: tuple[str, ...], axis: int) -> Mirror:
    classes = [one for one in range(1, len(names)) if sum(one in case.classes for case in cases) >= FEW]
    if not classes:
        return Mirror(axis=axis, survives="cannot-tell", because=f"no class is in {FEW} of the {len(cases)} cases")
    for a, b in combinations(classes, 2):
        if (told := _sides_alone(cases, a, b, axis)) is not None:
            together, order = told
            why = (
                f"{names[a]} and {names[b]} are alike in size and look and lie beside each other in one order in "
                f"{order:.0%} of {together} cases"
            )
            return Mirror(axis=axis, survives="no", because=why)
    if (scattered := _scattered(cases, classes, names, axis)) is not None:
        return Mirror(axis=axis, survives="yes", because=scattered)
    kept = {one: _upper(cases, one, axis) for one in classes}
    one_sided = [one for one, (share, count) in kept.items() if abs(share - 0.5) > TWO_ERRORS * 0.5 / np.sqrt(count)]
    if one_sided:
        most = max(one_sided, key=lambda one: abs(kept[one][0] - 0.5))
        share, count = kept[most]
        why = (
            f"the centre of {names[most]} is beyond the middle in {share:.0%} of {count} cases, so it keeps to a side; "
            "whether it is known when mirrored, masks do not say"
        )
        return Mirror(axis=axis, survives="cannot-tell", because=why)
    least = min(count for _, count in kept.values())
    shown = ", ".join(f"{names[one]} {share:.0%}" for one, (share, _) in list(kept.items())[:6])
    if least < ENOUGH:
        return Mirror(
            axis=axis, survives="cannot-tell", because=f"{least} cases are too few to say that no class has a side"
        )
    return Mirror(axis=axis, survives="yes", because=f"no class keeps to one side (centres beyond the middle: {shown})")


def _sides_alone(cases: Sequence[OneCase], a: int, b: int, axis: int) -> tuple[int, float] | None:
    """(cases with both, share in the commoner order) when only their side tells two classes apart; else None."""
    both = [case for case in cases if a in case.classes and b in case.classes]
    if len(both) < FEW:
        return None
    if not _alike(both, a, b):
        return None
    moved = np.array([case.classes[a].centre[axis] - case.classes[b].centre[axis] for case in both])
    order = float(max((moved > 0).mean(), (moved < 0).mean()))
    sizes = [np.mean([_side(case, one, axis) for one in (a, b)]) for case in both]
    beside = float(np.median(np.abs(moved) / np.array(sizes))) >= BESIDE
    return (len(both), order) if order >= NEARLY_ALL and beside else None


def _scattered(cases: Sequence[OneCase], classes: Sequence[int], names: tuple[str, ...], axis: int) -> str | None:
    """Why no class has a side, when each comes in many pieces on either one; else None.

    Two classes of pieces that are alike may be told apart by their form alone, as letters are: nothing is said of them.
    """
    pieces = {one: [case.classes[one].middles[:, axis] for case in cases if one in case.classes] for one in classes}
    if any(_alike(cases, a, b) for a, b in combinations(classes, 2)):
        return None
    for each in pieces.values():
        beyond = np.array([(middles > 0.5).mean() if len(middles) else 0.0 for middles in each])
        either = (np.minimum(beyond, 1 - beyond) >= EITHER_SIDE).mean()
        if np.median([len(middles) for middles in each]) < MANY or either < NEARLY_ALL:
            return None
    shown = ", ".join(f"{names[one]} {np.median([len(m) for m in each]):.0f}" for one, each in pieces.items())
    return f"classes come in many pieces, on either side of the middle alike (pieces in the middle case: {shown})"


def _side(case: OneCase, one: int, axis: int) -> float:
    """Longest extent of a class along an axis, as a share of the case (whose size its centre is a share of)."""
    return float(case.classes[one].extents[:, axis].max() / case.shape[axis])


def _alike(cases: Sequence[OneCase], a: int, b: int) -> bool:
    """Whether two classes are alike in size and look where both are seen."""
    both = [case for case in cases if a in case.classes and b in case.classes]
    if not both:
        return False
    ratio = np.median([case.classes[a].voxels / case.classes[b].voxels for case in both])
    return bool(max(ratio, 1 / ratio) <= LIKE_SIZE) and _look_alike(both, a, b)


def _look_alike(cases: Sequence[OneCase], a: int, b: int) -> bool:
    first, second = (np.concatenate([case.within[one] for case in cases], axis=1) for one in (a, b))
    spread = np.maximum((first.std(axis=1) + second.std(axis=1)) / 2, 1e-12)
    return bool((np.abs(np.median(first, axis=1) - np.median(second, axis=1)) <= LIKE_LOOK * spread).all())


def _upper(cases: Sequence[OneCase], one: int, axis: int) -> tuple[float, int]:
    centres: npt.NDArray[np.float64] = np.array(
        [case.classes[one].centre[axis] for case in cases if one in case.classes]
    )
    return float((centres > 0.5).mean()), len(centres)
