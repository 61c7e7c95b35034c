"""Whole fits of images with masks, as a user types them: hippocampus (MSD, folds of nnU-Net) and ISBI 2012 membranes.

Usage: python benchmarks/segmentation.py hippocampus SECONDS FOLD... (or isbi SECONDS SEED...); each fit is a command of
its own on one core, as many at a time as there are cores: half of the machine that the targets allow.
"""

import json
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

import fieldcraft as fc
from fieldcraft.data.volumes import nifti
from fits import command, side_by_side
from result import summary, write
from segmentation_sets import hippocampus, isbi

PREDICTIONS = 20


def one_fit(name: str, seconds: int, place: int, core: int) -> dict:
    """A fold of hippocampus, or a seed of ISBI."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, out = Path(scratch) / name, Path(scratch) / "run"
        data = hippocampus(place, folder) if name == "hippocampus" else isbi(folder)
        seed = 0 if name == "hippocampus" else place
        began = time.perf_counter()
        command("fit", str(data), "--budget", f"{seconds}s", "--seed", str(seed), "--out", str(out), core=core)
        taken = time.perf_counter() - began
        results, masks = (json.loads((out / f"{one}.json").read_text()) for one in ("results", "masks"))
        found = {
            "winner": results["winner"],
            "candidates": {one["name"]: one["validation"] for one in results["candidates"]},
            "steps": {one["name"]: one["steps"] for one in results["candidates"] if one.get("steps")},
            "test": {name: one["value"] for name, one in results["test"]["metrics"].items()},
            "test_95": {name: [one["low"], one["high"]] for name, one in results["test"]["metrics"].items()},
            "cases": {
                one["case"]: float(np.mean([each["dice"] for each in one["classes"] if each["dice"] is not None]))
                for one in masks["cases"]
            },
            "membrane_threshold": masks.get("membrane_threshold"),
            "ece": {one: masks["calibration"][one]["ece"] for one in ("before", "after")},
            "refinements": {one["name"]: one["because"] for one in masks["refinements"]},
            "execution": _execution(out / "plan.toml"),
            "seconds": taken,
            "peak_memory_mib": results["peak_memory_mib"],
        }
        if name == "hippocampus":
            found["predict_one_case_s"] = summary(_prediction_seconds(data, out))
        return found


def _execution(plan: Path) -> dict[str, object]:
    import tomllib

    return tomllib.loads(plan.read_text())["execution"]


def _prediction_seconds(data: Path, run: Path) -> list[float]:
    """Of one volume in memory to its mask with probabilities, the model loaded, after one to warm up."""
    model = fc.load(run)
    paths = sorted((data / "imagesTs").iterdir())[: PREDICTIONS + 1]
    taken = []
    for path in paths:
        image = nifti.read(path)
        began = time.perf_counter()
        model.predict(image)
        taken.append(time.perf_counter() - began)
    return taken[1:]


def main(name: str, seconds: int, places: list[int]) -> None:
    """The result is written after each fit."""
    fits: dict[str, dict] = {}
    found = side_by_side([partial(one_fit, name, seconds, place) for place in places])
    for place, fit in zip(places, found, strict=True):
        fits[str(place)] = fit
        judged = ["dice"] if name == "hippocampus" else ["rand", "rand_split", "rand_merge", "accuracy", "dice"]
        write(
            f"segmentation_{name}_{seconds}s",
            f"fieldcraft fit --budget {seconds}s on one core, {name}, {'folds' if name == 'hippocampus' else 'seeds'} "
            f"{', '.join(fits)}; means over fits of the mean over test cases",
            {
                **{one: summary([fit["test"][one] for fit in fits.values()]) for one in judged},
                "peak_memory_mib": statistics.fmean(fit["peak_memory_mib"] for fit in fits.values()),
                "each": fits,
            },
        )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), list(map(int, sys.argv[3:])))
