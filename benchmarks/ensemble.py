"""What averages add: the planner with and without the tip `ensemble` on tables, 2 min on one core each, paired by seed.

The side with it is the planner of families.py, read from its result; only the side without it is trained here, on the
same parts of the data. Usage: python benchmarks/ensemble.py [SEEDS] [BUDGET_S]
"""

import itertools
import json
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path

from families import JUDGED, TABLES, UCI, table
from fits import fit, side_by_side
from result import RESULTS, summary, write


def without(name: str, seed: int, budget_s: int, core: int) -> float:
    """Points of the planner without averages: accuracy in per cent, or 100 R2."""
    with tempfile.TemporaryDirectory() as scratch:
        data = (table(name, Path(scratch)), "--target", "y") if name in UCI else (name,)
        options = ("--budget", f"{budget_s}s", "--seed", str(seed), "--without", "ensemble")
        metrics = fit(*data, *options, core=core).results["test"]["metrics"]
        return 100 * float(next(metrics[one]["value"] for one in JUDGED if one in metrics))


def main(seeds: int = 2, budget_s: int = 120) -> None:
    families = json.loads((RESULTS / f"families_{budget_s}s.json").read_text())["measured"]["each"]
    pairs = list(itertools.product(TABLES, range(seeds)))
    points = list(side_by_side([partial(without, name, seed, budget_s) for name, seed in pairs]))
    found = {}
    for name in TABLES:
        alone = [one for (other, _), one in zip(pairs, points, strict=True) if other == name]
        averaged = [families[f"{name}/planner/{seed}"]["points"] for seed in range(seeds)]
        gains = [one - other for one, other in zip(averaged, alone, strict=True)]
        found[name] = {"with": summary(averaged), "without": summary(alone), "gain": summary(gains)}
    means = [statistics.fmean(one["gain"]["values"]) for one in found.values()]
    write(
        f"ensemble_{budget_s}s",
        f"the planner with and without averages, {budget_s} s on one core each; test points, one look a fit",
        {"budget_s": budget_s, "sets": found, "mean_gain_over_sets": summary(means)},
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
