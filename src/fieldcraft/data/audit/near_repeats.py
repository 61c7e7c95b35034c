"""Images that look like another: re-encoded, resized, brighter or darker, but not flipped, turned or cut.

Each image becomes a copy of at most 16 x 16 gray cells with its mean taken away and its length set to 1; the squared
distance of two is 2 (1 - their correlation). Candidates are those within the radius in the first principal components,
where no distance is longer than in all of them, among the images that are within it in the very first: nothing within
the radius is missed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fieldcraft.data.audit.seen import Rows, Seen
from fieldcraft.records.audit import Complaint
from fieldcraft.records.streams import stream_seed

MOST = 100_000
"""Images that are compared."""
COMPONENTS = 16
TOGETHER = 128
"""Images that are compared with others at a time."""
SLACK = 1e-5
"""Of a squared distance of vectors of length 1, far beyond what single precision makes wrong."""
WIDEST, NARROWEST = 0.1, 0.02
"""Radii: a correlation of 0.995 and one of 0.9998, about what re-encoding as JPEG leaves."""
QUERIES = 1000
CHANCE = 0.01
"""Share of the images that may find one of another class within the radius."""
CROWDED, IN_FIRST = 20, 8
"""Neighbours of an image in the first few components from which on the radius is halved: the images are too alike to
tell copies from kin."""
ASKED = 250
"""Images whose neighbours are counted."""

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, eq=False)
class Near:
    """Pairs of rows (earlier, later), nearest first, with their correlations."""

    pairs: npt.NDArray[np.int64]
    correlations: npt.NDArray[np.float64]


def near_repeats(seen: Seen) -> tuple[Complaint, ...]:
    """Near duplicates within parts and across given ones; exact ones are another check's."""
    if seen.copies is None or seen.deadline.over():
        return ()
    rows = compared_rows(seen)
    if len(rows) < 3:
        return ()
    vectors = unit_vectors(seen.copies.gray[rows])
    found = near_pairs(vectors, radius(vectors, _classes(seen, rows)))
    pairs = rows[found.pairs]
    across = np.array([seen.part(a) != seen.part(b) for a, b in pairs], np.bool_)
    made = []
    for kind, which, words in (
        ("near-leak", across, "sample(s) look like one of another given part, so the result may be too good"),
        ("near-duplicate", ~across, "sample(s) look like an earlier one"),
    ):
        details: dict[int, str] = {}
        for (earlier, later), correlation in zip(pairs[which], found.correlations[which], strict=True):
            blamed, other = (earlier, later) if kind == "near-leak" and seen.part(later) == "test" else (later, earlier)
            where = f" ({seen.part(other)})" if kind == "near-leak" else ""
            details.setdefault(
                int(blamed), f"looks like {seen.dataset.ids[other]}{where}, correlation {correlation:.4f}"
            )
        if details:
            made.append(
                Complaint(
                    kind="near-leak" if kind == "near-leak" else "near-duplicate",
                    severity="warn",
                    reason=f"{len(details):,} {words}",
                    samples=seen.names(list(details)),
                    details=tuple(details.values()),
                )
            )
    return tuple(made)


def compared_rows(seen: Seen) -> Rows:
    """One of each set of equal images, without flat ones; at most 100,000, drawn by lot."""
    assert seen.copies is not None
    read = seen.rows_read
    rows: Rows = read[(seen.first[read] == read) & ~seen.copies.flat[read]]
    rows = rows[np.ptp(seen.copies.gray[rows].reshape(len(rows), -1), axis=1) > 0] if len(rows) else rows
    if len(rows) > MOST:
        random = np.random.default_rng(stream_seed(0, "audit", "near"))
        rows = np.sort(random.choice(rows, MOST, replace=False))
    return rows


def unit_vectors(gray: npt.NDArray[np.float32]) -> Vectors:
    """(n, h, w) -> (n, h w), without the mean, of length 1."""
    flat = gray.reshape(len(gray), -1)
    found: Vectors = (flat - flat.mean(axis=1, keepdims=True, dtype=np.float64)).astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def radius(vectors: Vectors, classes: Rows | None) -> float:
    """Within which two images count as near duplicates.

    The null: an image and its nearest of another class are hardly ever copies. The radius is such that one in a hundred
    images at most finds one by chance, but within the bounds above. Images of one class are nearer to each other than
    that, so some of the pairs found may be kin and no copies. Without classes: half of the widest.
    """
    if classes is None:
        return WIDEST / 2
    random = np.random.default_rng(stream_seed(0, "audit", "null"))
    queries = random.permutation(len(vectors))[:QUERIES]
    products = vectors[queries] @ vectors.T
    products[classes[queries][:, None] == classes[None, :]] = -1.0
    nearest = np.sqrt(np.maximum(0.0, 2 - 2 * products.max(axis=1).astype(np.float64)))
    return float(np.clip(np.quantile(nearest, CHANCE), NARROWEST, WIDEST))


def near_pairs(vectors: Vectors, within: float) -> Near:
    """All pairs at most `within` apart; the radius is halved while images are crowded, and none where they stay so."""
    centred = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    along: Vectors = centred @ axes[:, : -COMPONENTS - 1 : -1].astype(np.float32)
    while crowded := _neighbours(along[:, :IN_FIRST], within) > CROWDED:
        if within**2 < SLACK:
            break
        within /= 2
    pairs = np.concatenate([np.empty((0, 2), np.int64), *(() if crowded else _candidates(along, within))])
    kept, found = [], []
    for start in range(0, max(1, len(pairs)), 50_000):
        some = pairs[start : start + 50_000]
        distance = np.linalg.norm(vectors[some[:, 0]].astype(np.float64) - vectors[some[:, 1]], axis=1)
        near = distance <= within
        kept.append(some[near])
        found.append(1 - distance[near] ** 2 / 2)
    every, correlations = np.concatenate(kept), np.concatenate(found)
    order = np.argsort(-correlations, kind="stable")
    return Near(pairs=every[order], correlations=correlations[order])


def _neighbours(along: Vectors, within: float) -> float:
    """How many images are within the radius of one, on average over some of them."""
    random = np.random.default_rng(stream_seed(0, "audit", "crowd"))
    asked = along[random.permutation(len(along))[:ASKED]]
    return float(np.mean(np.sum(_nearness(asked) @ _nearness(along, turned=True).T >= _least(within), axis=1))) - 1


def _candidates(along: Vectors, within: float) -> Iterator[npt.NDArray[np.int64]]:
    """Pairs of rows (earlier, later) within the radius in what is given, and few beyond it."""
    order = np.argsort(along[:, 0], kind="stable")
    first = along[order, 0]
    ends = np.searchsorted(first, first + (within**2 + SLACK) ** 0.5, side="right")
    ones, others, least = _nearness(along[order]), _nearness(along[order], turned=True), _least(within)
    for start in range(0, len(order), TOGETHER):
        stop = min(len(order), start + TOGETHER)
        near = ones[start:stop] @ others[start : ends[stop - 1]].T >= least
        one, other = np.divmod(np.flatnonzero(near), near.shape[1])
        later = other > one
        yield np.sort(np.stack([order[start + one[later]], order[start + other[later]]], axis=1), axis=1)


def _nearness(along: Vectors, *, turned: bool = False) -> Vectors:
    """Vectors of which one and a turned one have minus half of their squared distance as their product."""
    halves = -0.5 * np.sum(along**2, axis=1, keepdims=True)
    ends = (halves, np.ones_like(halves))
    return np.concatenate([along, *(reversed(ends) if turned else ends)], axis=1)


def _least(within: float) -> float:
    """The product that those within the radius reach."""
    return -0.5 * (within**2 + SLACK)


def _classes(seen: Seen, rows: Rows) -> Rows | None:
    targets = seen.dataset.targets
    if targets.task != "single-label":
        return None
    classes: Rows = targets.values[rows].astype(np.int64)
    return classes if len(np.unique(classes)) > 1 else None
