"""Whole fits on a GPU, as typed: MNIST and the 10,000 of CIFAR-10 in turn, or folds of hippocampus side by side.

Compilation is part of the seconds. What runs side by side shares the GPU and the cores, so each would be quicker alone.
Usage: python benchmarks/gpu.py images [SECONDS [SEEDS]] (or volumes [SECONDS [FOLD...]])
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fits import fit
from result import summary, write
from segmentation import one_fit

OPTIONS = {"mnist": (), "cifar10": ("--set", "splits.validation=0.1")}
"""CIFAR-10: 9,000 to train and 1,000 to validate, as on 2 cores."""


def images(seconds: int = 60, seeds: int = 3) -> None:
    """The result is written after each fit."""
    found: dict[str, object] = {}
    for seed in range(seeds):
        for name, options in OPTIONS.items():
            found |= {f"{name}, seed {seed}": _one(name, seconds, seed, options)}
            write(f"gpu_images_{seconds}s", f"fieldcraft fit --budget {seconds}s on one GPU; one look each", found)


def volumes(seconds: int = 600, *folds: int) -> None:
    """The same figures as on processors (segmentation.py); the result is written after each fold."""
    folds = folds or (0,)
    cores = np.array_split(sorted(os.sched_getaffinity(0)), len(folds))
    if not len(cores[-1]):
        raise SystemExit(f"{len(folds)} folds side by side need as many cores, got {len(os.sched_getaffinity(0))}.")
    each = " or ".join(dict.fromkeys(str(len(share)) for share in reversed(cores)))
    found: dict[str, object] = {}
    with ThreadPoolExecutor(len(folds)) as pool:
        waiting = [
            pool.submit(one_fit, "hippocampus", seconds, fold, ",".join(map(str, share)))
            for fold, share in zip(folds, cores, strict=True)
        ]
        for fold, done in zip(folds, waiting, strict=True):
            found[str(fold)] = done.result()
            write(
                f"gpu_hippocampus_{seconds}s",
                f"fieldcraft fit --budget {seconds}s on one GPU, hippocampus, {len(folds)} folds side by side on "
                f"{each} cores each; means over folds of the mean over test cases",
                {"dice": summary([one["test"]["dice"] for one in found.values()]), "each": found},
            )


def _one(name: str, seconds: int, seed: int, options: tuple[str, ...]) -> dict[str, object]:
    """Accuracy on the test part, and where the seconds went."""
    done = fit(name, "--budget", f"{seconds}s", "--seed", str(seed), *options)
    return {
        "accuracy": done.test("accuracy"),
        "winner": done.results["winner"],
        "validation": done.validation(),
        "steps": {one["name"]: one["steps"] for one in done.results["candidates"] if one.get("steps")},
        "wall_seconds": done.seconds,
        "seconds": done.results["seconds"],
        "peak_memory_mib": done.results["peak_memory_mib"],
    }


if __name__ == "__main__":
    kind, *numbers = sys.argv[1:] or ["images"]
    {"images": images, "volumes": volumes}[kind](*map(int, numbers))
