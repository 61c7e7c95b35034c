"""Boosting on tables: up to 3,000 rounds where time allows, against up to 300 as it was, in the same time on one core.

The nine UCI regression sets, DRAWS draws each: a fifth judges, an eighth of the rest stops the growth where the set is
large. 100 R2 on samples that took no part. It was decided on one draw of seven of these sets (seed 100, not among
these).
Usage: python benchmarks/boosting.py [DRAWS] [SECONDS]
"""

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from families import UCI, table
from fits import on_core, side_by_side
from result import summary, write

ROUNDS = (300, 3_000)
SECONDS = 8.4
"""What boosting may take of two minutes."""


def fitted(name: str, rounds: int, draw: int, seconds: float, core: int) -> tuple[float, str]:
    """100 R2 and the baseline's own words, from a process of its own."""
    said = subprocess.run(
        [*on_core(core), sys.executable, __file__, "--one", name, str(rounds), str(draw), str(seconds)],
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
    points, _, note = said.strip().partition(" ")
    return float(points), note


def one(name: str, rounds: int, draw: int, seconds: float) -> None:
    """Print both."""
    from fieldcraft.baselines import boosting
    from fieldcraft.baselines.fit import fit_baseline

    boosting.TREES = rounds
    with tempfile.TemporaryDirectory() as folder:
        rows = np.loadtxt(table(name, Path(folder)), delimiter=",", skiprows=1)
    order = np.random.default_rng(draw).permutation(len(rows))
    held, rest = np.split(order, [len(rows) // 5])
    stops, learns = np.split(rest, [len(rest) // 8])
    x, y = rows[:, :-1], rows[:, -1]
    x = ((x - x[learns].mean(0)) / np.maximum(x[learns].std(0), 1e-12)).astype(np.float32)
    fit = fit_baseline(
        "boosting", x[learns], y[learns], "regression", 1, seconds=seconds, threads=1, seed=draw,
        validation=(x[stops], y[stops]),
    )  # fmt: skip
    missed = np.asarray(fit.scores(x[held])).ravel() - y[held]
    print(100 * (1 - float((missed**2).mean() / y[held].var())), fit.note)


def main(draws: int = 3, seconds: float = SECONDS) -> None:
    asked = [(name, draw, rounds) for name in UCI for draw in range(draws) for rounds in ROUNDS]
    tasks = [partial(fitted, name, rounds, draw, seconds) for name, draw, rounds in asked]
    found = {}
    for key, said in zip(asked, side_by_side(tasks), strict=True):
        found[key] = said
        print(*key, *said, file=sys.stderr, flush=True)
    few, many = ROUNDS

    def points(name: str, rounds: int) -> list[float]:
        return [found[name, draw, rounds][0] for draw in range(draws)]

    sets = {
        name: {
            f"up_to_{few}": summary(points(name, few)),
            f"up_to_{many}": summary(points(name, many)),
            "gain": summary([b - a for a, b in zip(points(name, few), points(name, many), strict=True)]),
            "told": [found[name, draw, many][1] for draw in range(draws)],
        }
        for name in UCI
    }  # fmt: skip
    write(
        "boosting",
        f"100 R2 of boosted trees on held-out samples, {seconds:g} s on one core, by the rounds they may grow",
        {"seconds": seconds, "sets": sets},
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
    else:
        main(*map(int, sys.argv[1:2]), *map(float, sys.argv[2:3]))
