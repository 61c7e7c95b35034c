"""Two-level screening designs: which factors are on in each of few runs, so that all main effects can be told apart.

Plackett-Burman: n runs, a multiple of four, for up to n - 1 factors; every factor is on in half of the runs, and every
two factors are on together in a quarter of them. Its main effects are mixed with two-factor interactions. Resolution
IV: such a design and its mirror image, 2 n runs for up to n factors; an interaction has the same sign in a row and in
its mirror, a main effect the opposite one, so that interactions leave the main effects alone.

Hurts: effects are averages over plans in which half of the factors are off. That ranks; it decides nothing.
Sources: Plackett and Burman 1946, Biometrika 33:305; Box and Wilson 1951 for the mirror image; the matrices by Paley
1933, J. Math. Phys. 12:311, and Sylvester's doubling.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fieldcraft.records.proof import Arm, Setting, Trial
from fieldcraft.records.streams import stream_seed

Kind = Literal["Plackett-Burman", "resolution IV"]
MOST_PAIRS = 4
"""Seeds and folds that the rows of one design are spread over."""


def hadamard(n: int) -> NDArray[np.int64] | None:
    """An n x n matrix of +1 and -1 with orthogonal rows and a first column of +1.

    None where neither Paley's constructions over a prime nor doubling give one (n = 52, 92, ... and all n but 1, 2 and
    multiples of four, for which there is none).
    """
    if n in (1, 2):
        return np.array([[1]] if n == 1 else [[1, 1], [1, -1]])
    if n < 4 or n % 4:
        return None
    if _prime(n - 1):
        found: NDArray[np.int64] = _skew(n - 1) + np.eye(n, dtype=np.int64)
    elif _prime(n // 2 - 1) and n // 2 % 4 == 2:
        inner = _symmetric(n // 2 - 1)
        eye = np.eye(n // 2, dtype=np.int64)
        found = np.kron(inner, [[1, 1], [1, -1]]) + np.kron(eye, [[1, -1], [-1, -1]])
    else:
        half = hadamard(n // 2)
        if half is None:
            return None
        found = np.kron([[1, 1], [1, -1]], half)
    return found * found[:, :1]


def _prime(q: int) -> bool:
    return q > 1 and all(q % divisor for divisor in range(2, int(q**0.5) + 1))


def _residues(q: int) -> NDArray[np.int64]:
    """Jacobsthal's matrix: whether the difference of row and column is a square modulo the odd prime q."""
    sign = np.full(q, -1)
    sign[[value * value % q for value in range(q)]] = 1
    sign[0] = 0
    table: NDArray[np.int64] = sign[(np.arange(q)[:, None] - np.arange(q)[None, :]) % q]
    return table


def _skew(q: int) -> NDArray[np.int64]:
    inner = _residues(q)
    return np.block([[np.zeros((1, 1), np.int64), np.ones((1, q), np.int64)], [-np.ones((q, 1), np.int64), inner]])


def _symmetric(q: int) -> NDArray[np.int64]:
    inner = _residues(q)
    return np.block([[np.zeros((1, 1), np.int64), np.ones((1, q), np.int64)], [np.ones((q, 1), np.int64), inner]])


def signs(kind: Kind, factors: int) -> NDArray[np.int64]:
    """The smallest design for so many factors, runs x columns; columns beyond the factors are spare.

    Of resolution IV the second half of the rows mirrors the first, row by row.
    """
    n = 4
    while True:
        square = hadamard(n)
        if square is not None:
            if kind == "Plackett-Burman" and factors < n:
                return square[:, 1:]
            if kind == "resolution IV" and factors <= n:
                return np.vstack([square, -square])
        n += 4


def runs(kind: Kind, factors: int) -> int:
    """How many trials the design takes."""
    return len(signs(kind, factors))


def screening(setting: Setting, kind: Kind, first_pair: int = 0) -> tuple[Trial, ...]:
    """The trials of a design over all factors of the setting, in the order in which they should run.

    Columns, signs and order are drawn by the setting's seed. Rows that share a pair balance every factor, so that what
    a seed and a fold do leaves the main effects alone.
    """
    factors = setting.factors
    table = signs(kind, len(factors))
    draw = np.random.default_rng(stream_seed(setting.seed, "screening design", kind))
    columns = draw.permutation(table.shape[1])
    flips = draw.choice([-1, 1], size=len(factors))
    levels = table[:, columns[: len(factors)]] * flips
    pairs = _pairs(kind, table, columns[len(factors) :], draw)
    return tuple(
        Trial(stage="screen", arm=_arm(int(row), levels[row], factors), pair=first_pair + int(pairs[row]))
        for row in sorted(draw.permutation(len(levels)), key=lambda row: pairs[row])
    )


def _pairs(
    kind: Kind, table: NDArray[np.int64], spare: NDArray[np.int64], draw: np.random.Generator
) -> NDArray[np.int64]:
    """Which pair each row belongs to: mirrored rows stay together; a spare column splits a Plackett-Burman design."""
    if kind == "resolution IV":
        half = len(table) // 2
        many = max(1, min(MOST_PAIRS, half // 4))
        return np.tile(draw.permutation(half) % many, 2)
    return (table[:, spare[0]] + 1) // 2 if len(spare) else np.zeros(len(table), np.int64)


def _arm(row: int, levels: NDArray[np.int64], factors: Sequence[str]) -> Arm:
    on = tuple(name for name, level in zip(factors, levels, strict=True) if level > 0)
    return Arm(name=f"screen {row + 1}", kind="screen", on=on)
