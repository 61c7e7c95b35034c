"""Pieces and loops of each class, as far as they stand out from noise."""

import numpy as np
import numpy.typing as npt

from fieldcraft.fingerprint.cloud import Points, Samples, distances, first_of_each, points
from fieldcraft.fingerprint.components import components
from fieldcraft.fingerprint.persistence import loops
from fieldcraft.fingerprint.some import Rows, some, told
from fieldcraft.records.deep_facts import ClassBetti
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import Task

LEVEL = 0.05
"""Chance of one false finding among all classes, for pieces and for loops each."""
LEAST, MOST_CLASSES = 20, 10


def betti(
    samples: Samples,
    targets: npt.NDArray[np.generic],
    names: tuple[str, ...],
    task: Task,
    *,
    seed: int,
    most: int,
) -> Fact[tuple[ClassBetti, ...]] | None:
    """Betti numbers 0 and 1 of each class, among the principal components of all that are looked at.

    At most ten classes, the largest, with at most `most` samples each; what is no single-label task is one cloud. None:
    no class has twenty samples. Raises: MissingExtraError without gudhi.
    """
    members = _members(targets, names, task, seed, most)
    if not members:
        return None
    level = LEVEL / len(members)
    cloud = points(samples, np.concatenate([rows for _, rows in members]), seed)
    ends = np.cumsum([len(rows) for _, rows in members])[:-1]
    found = tuple(
        _of_class(name, piece, seed, level) for (name, _), piece in zip(members, np.split(cloud, ends), strict=True)
    )
    return Fact(
        value=found,
        method=(
            "pieces of the neighbour graph that holds a random line together; loops of the Vietoris-Rips diagram "
            f"against the universal null; at most {LEVEL:.0%} chance of a false one"
        ),
        sample=told(sum(one.samples for one in found), len(targets)),
    )


def _of_class(name: str, cloud: Points, seed: int, level: float) -> ClassBetti:
    between = distances(cloud)
    kept = first_of_each(between)
    between = between[np.ix_(kept, kept)]
    return ClassBetti(
        name=name, components=components(between, level), loops=loops(between, seed, level), samples=len(kept)
    )


def _members(
    targets: npt.NDArray[np.generic], names: tuple[str, ...], task: Task, seed: int, most: int
) -> tuple[tuple[str, Rows], ...]:
    """Names and rows of the clouds to look at."""
    if task != "single-label":
        rows = some(targets, most, seed, "betti")
        return (("all", rows),) if len(rows) >= LEAST else ()
    classes, counts = np.unique(targets.astype(np.int64), return_counts=True)
    large = [at for at in np.argsort(-counts, kind="stable")[:MOST_CLASSES] if counts[at] >= LEAST]
    found = []
    for at in sorted(large):
        rows = np.flatnonzero(targets == classes[at])
        found.append((names[classes[at]], rows[some(rows, most, seed, f"betti {classes[at]}")]))
    return tuple(found)
