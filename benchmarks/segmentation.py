"""Whole fits of images with masks, as a user types them: hippocampus (MSD, folds of nnU-Net) and ISBI 2012 membranes.

Each fit is a command of its own on one core, as many at a time as there are cores: half of the machine that the targets
allow. Once all are done, the first model of hippocampus predicts volumes, on one core and on all.
Usage: python benchmarks/segmentation.py [hippocampus [SECONDS [FOLD...]]] (or isbi [SECONDS [SEED...]])
"""

import json
import statistics
import sys
import tempfile
import time
import tomllib
from functools import partial
from pathlib import Path

import numpy as np
import torch

import fieldcraft as fc
from fieldcraft.data.volumes import nifti
from fits import command, side_by_side
from result import summary, write
from segmentation_sets import hippocampus, isbi

PREDICTIONS = 20
JUDGED = {"hippocampus": ("dice",), "isbi": ("rand", "rand_split", "rand_merge", "accuracy", "dice")}
SECONDS = {"hippocampus": 900, "isbi": 600}


def one_fit(name: str, seconds: int, place: int, core: int | str, out: Path | None = None) -> dict:
    """A fold of hippocampus, or a seed of ISBI; the run is kept in `out`."""
    with tempfile.TemporaryDirectory() as scratch:
        folder, run = Path(scratch) / name, out or Path(scratch) / "run"
        data = hippocampus(place, folder) if name == "hippocampus" else isbi(folder)
        seed = 0 if name == "hippocampus" else place
        began = time.perf_counter()
        command("fit", str(data), "--budget", f"{seconds}s", "--seed", str(seed), "--out", str(run), core=core)
        taken = time.perf_counter() - began
        results, masks = (json.loads((run / f"{one}.json").read_text()) for one in ("results", "masks"))
        return {
            "winner": results["winner"],
            "candidates": {one["name"]: one["validation"] for one in results["candidates"]},
            "steps": {one["name"]: one["steps"] for one in results["candidates"] if one.get("steps")},
            "looks": looks((run / "metrics.jsonl").read_text()),
            "test": {name: one["value"] for name, one in results["test"]["metrics"].items()},
            "test_95": {name: [one["low"], one["high"]] for name, one in results["test"]["metrics"].items()},
            "cases": {
                one["case"]: float(np.mean([each["dice"] for each in one["classes"] if each["dice"] is not None]))
                for one in masks["cases"]
            },
            "membrane_threshold": masks.get("membrane_threshold"),
            "ece": {one: masks["calibration"][one]["ece"] for one in ("before", "after")},
            "refinements": {one["name"]: one["because"] for one in masks["refinements"]},
            "execution": tomllib.loads((run / "plan.toml").read_text())["execution"],
            "seconds": taken,
            "peak_memory_mib": results["peak_memory_mib"],
        }


def looks(metrics: str) -> dict[str, dict[int, float]]:
    """The metric of each look at (some) validation cases in the course of a rung, by step."""
    found: dict[str, dict[int, float]] = {}
    for one in map(json.loads, metrics.splitlines()):
        if one["kind"] == "validation":
            found.setdefault(one["rung"], {})[one["step"]] = one["metric"]
    return found


def prediction_seconds(run: Path) -> dict[str, object]:
    """Of one volume in memory to its mask with probabilities, the model loaded, after one to warm up; by threads."""
    with tempfile.TemporaryDirectory() as scratch:
        data = hippocampus(0, Path(scratch) / "hippocampus")
        images = [nifti.read(path) for path in sorted((data / "imagesTs").iterdir())[: PREDICTIONS + 1]]
    model, found = fc.load(run), {}
    for threads in sorted({1, torch.get_num_threads()}):
        torch.set_num_threads(threads)
        taken = []
        for image in images:
            began = time.perf_counter()
            model.predict(image)
            taken.append(time.perf_counter() - began)
        found[f"{threads} thread{'s' if threads > 1 else ''}"] = summary(taken[1:])
    return found


def main(name: str, seconds: int, places: list[int]) -> None:
    """The result is written after each fit, and after the predictions."""
    fits: dict[str, dict] = {}
    measured: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as scratch:
        runs = [Path(scratch) / str(place) for place in places]
        tasks = [partial(one_fit, name, seconds, place, out=run) for place, run in zip(places, runs, strict=True)]
        for place, fit in zip(places, side_by_side(tasks), strict=True):
            fits[str(place)] = fit
            measured = {
                **{one: summary([each["test"][one] for each in fits.values()]) for one in JUDGED[name]},
                "peak_memory_mib": statistics.fmean(each["peak_memory_mib"] for each in fits.values()),
                "each": fits,
            }
            keep(name, seconds, measured)
        if name == "hippocampus":
            keep(name, seconds, {"predict_one_case_s": prediction_seconds(runs[0]), **measured})


def keep(name: str, seconds: int, measured: dict[str, object]) -> None:
    """Written so far."""
    places = ", ".join(measured["each"])
    write(
        f"segmentation_{name}_{seconds}s",
        f"fieldcraft fit --budget {seconds}s on one core, {name}, {'folds' if name == 'hippocampus' else 'seeds'} "
        f"{places}; means over fits of the mean over test cases",
        measured,
    )


if __name__ == "__main__":
    name, *rest = sys.argv[1:] or ["hippocampus"]
    seconds = int(rest[0]) if rest else SECONDS[name]
    main(name, seconds, list(map(int, rest[1:])) or [0, 1])
