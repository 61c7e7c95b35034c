"""The planner against each family alone, on image and table sets, at the same budget on one core each.

Images: linear model, boosting, the planner's small convolutional network, its residual network. Tables: linear model,
boosting, the planner's larger MLP. A family alone is the same command with everything else taken off the ladder; what
tips decide about it is left to them, but for averages, which are of several. Networks get the time of all networks, a
linear model or boosting four fifths of the budget, where the planner gives baselines a sixth or less together. Points:
accuracy in per cent, or 100 R2. Sets without a test part are split anew for each seed, the same for all sides.
Finished fits are kept in the result and not taken again, so this can be stopped and gone on with: the order is seed by
seed, set by set. The machine in the result is that of the last fits.
Usage: python benchmarks/families.py [SEEDS] [BUDGET_S] [images|tables|all|SET,SET,...]
"""

import itertools
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from fits import DATA, on_core, side_by_side
from result import RESULTS, summary, write

IMAGES = {
    "digits": "digits", "mnist": "mnist", "usps": str(DATA / "usps" / "usps.npz"), "cifar10": "cifar10",
    "pneumoniamnist": str(DATA / "pneumoniamnist" / "pneumoniamnist.npz"),
    **{name: str(DATA / "office_caltech" / "images" / name) for name in ("amazon", "caltech10", "webcam", "dslr")},
}  # fmt: skip
UCI = {
    "bostonHousing": 13, "concrete": 8, "energy": 8, "kin8nm": 8, "naval-propulsion-plant": 16, "power-plant": 4,
    "protein-tertiary-structure": 9, "wine-quality-red": 11, "yacht": 6,
}  # fmt: skip
"""Number of features; the target stands behind them."""
TABLES = {"breast-cancer": "breast-cancer", "diabetes": "diabetes", **{name: name for name in UCI}}
SIDES = {
    "images": ("planner", "linear", "boosting", "small", "large"),
    "tables": ("planner", "linear", "boosting", "large"),
}
"""Small and large are names of rungs."""
NAMES = {"images": {"small": "convolutional", "large": "residual"}, "tables": {"large": "mlp"}}
JUDGED = ("accuracy", "r2")
ALONE = 0.8
"""Share of the budget for a linear model or boosting alone."""


def fitted(where: str, side: str, seed: int, budget_s: int, core: int) -> dict[str, object]:
    """One fit in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        run = Path(scratch) / "run"
        arguments = [
            table(where, Path(scratch)) if where in UCI else where,
            *(("--target", "y") if where in UCI else ()),
        ]
        subprocess.run(
            [*on_core(core), sys.executable, __file__, "--one", side, "fit", *arguments, "--budget", f"{budget_s}s",
             "--seed", str(seed), "--out", str(run)],
            check=True, stdout=sys.stderr, env={**os.environ, "TERM": "dumb"},
        )  # fmt: skip
        results = json.loads((run / "results.json").read_text())
        metrics = results["test"]["metrics"]
        metric = next(one for one in JUDGED if one in metrics)
        return {
            "points": 100 * metrics[metric]["value"], "winner": results["winner"],
            "seconds": sum(results["seconds"].values()),
        }  # fmt: skip


def table(name: str, folder: Path) -> str:
    """A UCI set as a CSV."""
    with tarfile.open(DATA / "uci_regression" / "uci_regression.tar.xz") as packed:
        member = next(one for one in packed.getmembers() if one.name.endswith(f"/{name}/data/data.txt"))
        handle = packed.extractfile(member)
        assert handle is not None
        rows = [line.split()[: UCI[name] + 1] for line in handle.read().decode().splitlines() if line.strip()]
    path = folder / f"{name}.csv"
    header = [*(f"x{place}" for place in range(UCI[name])), "y"]
    path.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n")
    return str(path)


def one_family(side: str, arguments: Sequence[str]) -> None:
    """`fieldcraft ARGUMENTS` with one family on the ladder."""
    from fieldcraft.cli.app import app
    from fieldcraft.plan.schema import Plan
    from fieldcraft.records.brief import Brief
    from fieldcraft.tips import ALL
    from fieldcraft.tips.interface import Applied, Tip
    from fieldcraft.verbs import draft, ladder

    def alone(brief: Brief, plan: Plan) -> Applied:
        rungs = tuple(rung for rung in plan.ladder.rungs if rung.name == side)
        baselines = (side,) if side in ("linear", "boosting") else ("majority",)
        only = replace(plan.ladder, rungs=rungs, baselines=baselines)
        return Applied(plan=replace(plan, ladder=only), because=f"{side} alone")

    if side in ("linear", "boosting"):
        ladder.A_FIFTH = ALONE
        ladder.BASELINES.update(dict.fromkeys(ladder.BASELINES, ALONE))
    if side != "planner":
        # The second network is a residual one only beside a first: it is left alone once it is.
        behind = "residual-connections" if side == "large" else "architecture"
        place = 1 + next(at for at, tip in enumerate(ALL) if tip.name == behind)
        tip = Tip(name="one-family", decide=alone, refines=("architecture",))
        left = [other for other in ALL[place:] if other.name not in ("worth-a-network", "ensemble")]
        draft.ALL = (*ALL[:place], tip, *left)
    app(list(arguments))


def summarised(each: dict[str, dict[str, object]], kinds: Sequence[str]) -> dict[str, object]:
    """By set: points of every side, the planner's difference to the best family; over sets: its mean, mean ranks."""
    found: dict[str, object] = {}
    ranks: dict[str, dict[str, list[float]]] = {}
    over: dict[str, list[float]] = {}
    for kind in kinds:
        for name in IMAGES if kind == "images" else TABLES:
            points: dict[str, dict[int, float]] = {side: {} for side in SIDES[kind]}
            for key, one in each.items():
                where, side, seed = key.split("/")
                if where == name:
                    points[side][int(seed)] = float(one["points"])  # type: ignore[arg-type]
            points = {side: of for side, of in points.items() if of}
            shared = set.intersection(*(set(of) for of in points.values())) if points else set()
            if not shared or "planner" not in points or len(points) < 2:
                continue
            means = {side: statistics.fmean(of[seed] for seed in shared) for side, of in points.items()}
            best = max((side for side in means if side != "planner"), key=means.__getitem__)
            gains = [points["planner"][seed] - points[best][seed] for seed in sorted(shared)]
            found[name] = {
                "points": {NAMES[kind].get(side, side): mean for side, mean in means.items()},
                "best_family": NAMES[kind].get(best, best), "planner_over_it": summary(gains),
            }  # fmt: skip
            for of in (kind, "both"):
                over.setdefault(of, []).append(statistics.fmean(gains))
            for side, mean in means.items():
                rank = (
                    1 + sum(other > mean for other in means.values()) + (sum(o == mean for o in means.values()) - 1) / 2
                )
                ranks.setdefault(kind, {}).setdefault(NAMES[kind].get(side, side), []).append(rank)
                ranks.setdefault("both", {}).setdefault(side, []).append(rank)
    mean_ranks = {kind: {side: statistics.fmean(of) for side, of in sides.items()} for kind, sides in ranks.items()}
    return {
        "mean_ranks": mean_ranks,
        "planner_over_best": {of: summary(each) for of, each in over.items()},
        "sets": found,
    }


def main(seeds: int = 3, budget_s: int = 120, which: str = "all") -> None:
    wanted = {"all": {*IMAGES, *TABLES}, "images": set(IMAGES), "tables": set(TABLES)}.get(which, set(which.split(",")))
    if unknown := wanted - {*IMAGES, *TABLES}:
        sys.exit(f"no such set: {', '.join(sorted(unknown))}. There are {', '.join([*IMAGES, *TABLES])}.")
    path = RESULTS / f"families_{budget_s}s.json"
    each = json.loads(path.read_text())["measured"]["each"] if path.exists() else {}
    tasks = {}
    for seed, kind in itertools.product(range(seeds), SIDES):
        for name, where in (IMAGES if kind == "images" else TABLES).items():
            for side in SIDES[kind]:
                if name in wanted and f"{name}/{side}/{seed}" not in each:
                    tasks[f"{name}/{side}/{seed}"] = partial(fitted, where, side, seed, budget_s)
    for key, found in zip(tasks, side_by_side(list(tasks.values())), strict=True):
        each[key] = found
        print(key, round(float(found["points"]), 2), found["winner"], file=sys.stderr)  # type: ignore[arg-type]
        write(
            f"families_{budget_s}s",
            f"the planner against single families, {budget_s} s on one core each; test points, one look a fit",
            {"budget_s": budget_s, **summarised(each, ("images", "tables")), "each": each},
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one_family(sys.argv[2], sys.argv[3:])
    else:
        main(*map(int, sys.argv[1:3]), *sys.argv[3:])
