"""Pairs of images that look alike: products of principal components (ours) against a tree over them, in turn.

The tree is SciPy's, over the first eight components, asked for all pairs within the same radius, whose distances are
then taken in full: the slow reference, which must find the same. Usage: python benchmarks/near_repeats.py [ROUNDS]
"""

import sys
import time

import numpy as np
from scipy.spatial import cKDTree

import fits  # noqa: F401  (says where the data is)
from fieldcraft.data.audit.near_repeats import Vectors, compared_rows, near_pairs, unit_vectors
from fieldcraft.data.audit.seen import Deadline, Seen
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.data.open import read_data
from result import summary, write

SETS = ("mnist", "cifar10")
RADIUS = 0.1
COMPONENTS = 8


def by_tree(vectors: Vectors) -> set[tuple[int, int]]:
    """Pairs (earlier, later) within the radius."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    pairs = cKDTree(centred @ axes[:, -COMPONENTS:]).query_pairs(RADIUS, output_type="ndarray")
    apart = np.concatenate(
        [
            np.linalg.norm(vectors[some[:, 0]].astype(np.float64) - vectors[some[:, 1]], axis=1)
            for some in np.array_split(pairs, 1 + len(pairs) // 50_000)
        ]
    )
    return {(int(a), int(b)) for a, b in pairs[apart <= RADIUS]}


def main(rounds: int = 5) -> None:
    measured = {}
    for name in SETS:
        seen = Seen(dataset=read_data(name, ReadOptions()), deadline=Deadline(at=None))
        assert seen.copies is not None
        vectors = unit_vectors(seen.copies.gray[compared_rows(seen)])
        ours, tree = [], []
        for _ in range(rounds):
            began = time.perf_counter()
            found = near_pairs(vectors, RADIUS)
            between = time.perf_counter()
            wanted = by_tree(vectors)
            ours.append(between - began)
            tree.append(time.perf_counter() - between)
            assert {tuple(pair) for pair in found.pairs.tolist()} == wanted
        measured[name] = {
            "images": len(vectors), "pairs": len(wanted), "ours_s": summary(ours), "tree_s": summary(tree),
            "times_as_fast": summary([slow / fast for slow, fast in zip(tree, ours, strict=True)]),
        }  # fmt: skip
    write("near_repeats", f"all pairs of images within {RADIUS} (correlation 0.995), paired rounds", measured)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
