"""Images that look like another: re-encoded, resized, brighter or darker, but not flipped, turned or cut.

Each image becomes a copy of at most 16 x 16 gray cells with its mean taken away and its length set to 1; the squared
distance of two is 2 (1 - their correlation). Candidates are found in a tree over the first principal components, in
which no distance is longer than in all of them: nothing within the radius is missed.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from fieldcraft.data.audit.seen import Rows, Seen
from fieldcraft.records.audit import Complaint
from fieldcraft.records.streams import stream_seed

MOST = 100_000
"""Images that are compared."""
COMPONENTS = 8
WIDEST, NARROWEST = 0.1, 0.02
"""Radii: a correlation of 0.995 and one of 0.9998, about what re-encoding as JPEG leaves."""
QUERIES = 1000
CHANCE = 0.01
"""Share of the images that may find one of another class within the radius."""
CROWDED = 20
"""Pairs an image from which on the radius is halved: the images are too alike to tell copies from kin."""

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
    flat = gray.reshape(len(gray), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    found: Vectors = (flat / np.linalg.norm(flat, axis=1, keepdims=True)).astype(np.float32)
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
    """All pairs at most `within` apart; the radius is halved while every image has some twenty such neighbours."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    tree = cKDTree(centred @ axes[:, -COMPONENTS:])
    while tree.count_neighbors(tree, within) > (CROWDED + 1) * len(vectors):
        within /= 2
    pairs = tree.query_pairs(within, output_type="ndarray").astype(np.int64).reshape(-1, 2)
    kept, found = [], []
    for start in range(0, len(pairs), 50_000):
        some = pairs[start : start + 50_000]
        distance = np.linalg.norm(vectors[some[:, 0]].astype(np.float64) - vectors[some[:, 1]], axis=1)
        near = distance <= within
        kept.append(some[near])
        found.append(1 - distance[near] ** 2 / 2)
    every = np.concatenate([np.empty((0, 2), np.int64), *kept])
    correlations = np.concatenate([np.empty(0), *found])
    order = np.argsort(-correlations, kind="stable")
    return Near(pairs=every[order], correlations=correlations[order])


def _classes(seen: Seen, rows: Rows) -> Rows | None:
    targets = seen.dataset.targets
    if targets.task != "single-label":
        return None
    classes: Rows = targets.values[rows].astype(np.int64)
    return classes if len(np.unique(classes)) > 1 else None
