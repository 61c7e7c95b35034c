"""Boosting on tables: settings told apart on 300 rounds and the best one grown on, against 300 rounds at most.

Both have the same seconds on one core. The nine UCI regression sets, DRAWS draws each: a fifth judges, an eighth of the
rest stops the growth where the set is large. 100 R2 on samples that took no part. Draws 0 to 2 and 100 were looked at
while the rule was made; the first one here is 10.
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

ARMS = ("at_most_300", "grown_on")
FIRST_DRAW = 10
SECONDS = 8.4
"""What boosting may take of two minutes."""


def fitted(name: str, arm: str, draw: int, seconds: float, core: int) -> tuple[float, str]:
    """100 R2 and the baseline's own words, from a process of its own."""
    said = subprocess.run(
        [*on_core(core), sys.executable, __file__, "--one", name, arm, str(draw), str(seconds)],
        check=True, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
    points, _, note = said.strip().partition(" ")
    return float(points), note


def one(name: str, arm: str, draw: int, seconds: float) -> None:
    """Print both."""
    from fieldcraft.baselines import boosting
    from fieldcraft.baselines.fit import fit_baseline

    if arm == "at_most_300":
        boosting.TREES, boosting.TUNING_SHARE = boosting.TUNED_TREES, 1.0
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
    places = range(FIRST_DRAW, FIRST_DRAW + draws)
    asked = [(name, arm, draw) for name in UCI for draw in places for arm in ARMS]
    found = {}
    for key, said in zip(asked, side_by_side([partial(fitted, *key, seconds) for key in asked]), strict=True):
        found[key] = said
        print(*key, *said, file=sys.stderr, flush=True)
    sets = {}
    for name in UCI:
        before, now = ([found[name, arm, draw][0] for draw in places] for arm in ARMS)
        sets[name] = {
            "at_most_300": summary(before),
            "grown_on": summary(now),
            "gain": summary([b - a for a, b in zip(before, now, strict=True)]),
            "told": [found[name, "grown_on", draw][1] for draw in places],
        }
    write(
        "boosting",
        f"100 R2 of boosted trees on held-out samples, {seconds:g} s on one core, by how they were grown",
        {"seconds": seconds, "sets": sets},
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
    else:
        main(*map(int, sys.argv[1:2]), *map(float, sys.argv[2:3]))
