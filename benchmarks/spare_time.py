"""What the time that is left over adds: the planner with and without the tip `spare-time`, on images.

Both sides run beside each other, on one core each, and change cores with the seed. Without the tip a schedule may still
be compressed where the machine is slower than it was measured.
Usage: python benchmarks/spare_time.py [SEEDS] [BUDGET_S]
"""

import itertools
import statistics
import sys
from functools import partial

from families import IMAGES
from fits import Fit, fit, side_by_side
from result import summary, write

SETS = ("cifar10", "caltech10", "pneumoniamnist", "usps")
SIDES = {"with": (), "without": ("--without", "spare-time")}


def main(seeds: int = 3, budget_s: int = 120) -> None:
    runs = [
        (name, seed, side)
        for name, seed in itertools.product(SETS, range(seeds))
        for side in (SIDES if seed % 2 else reversed(SIDES))
    ]
    fits = side_by_side(
        [
            partial(_fit, (IMAGES[name], "--budget", f"{budget_s}s", "--seed", str(seed), *SIDES[side]))
            for name, seed, side in runs
        ]
    )
    found: dict[tuple[str, str], list[Fit]] = {}
    for (name, _, side), one in zip(runs, fits, strict=True):
        found.setdefault((name, side), []).append(one)
        print(name, side, one.test("accuracy"), round(one.seconds), _steps(one), file=sys.stderr)
    sets = {}
    for name in SETS:
        points = {side: [100 * one.test("accuracy") for one in found[name, side]] for side in SIDES}
        gains = [one - other for one, other in zip(points["with"], points["without"], strict=True)]
        sets[name] = {
            **{side: summary(values) for side, values in points.items()},
            "gain": summary(gains),
            **{f"seconds_{side}": summary([one.seconds for one in found[name, side]]) for side in SIDES},
            **{f"steps_{side}": [_steps(one) for one in found[name, side]] for side in SIDES},
        }
    means = [statistics.fmean(one["gain"]["values"]) for one in sets.values()]  # type: ignore[index]
    write(
        f"spare_time_{budget_s}s",
        f"the planner with and without spare time, {budget_s} s on one core each; test points, one look a fit",
        {"budget_s": budget_s, "sets": sets, "mean_gain_over_sets": summary(means)},
    )


def _fit(arguments: tuple[str, ...], core: int) -> Fit:
    return fit(*arguments, core=core)


def _steps(one: Fit) -> dict[str, int]:
    """Of every network."""
    return {each["name"]: each["steps"] for each in one.results["candidates"] if each["steps"]}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
