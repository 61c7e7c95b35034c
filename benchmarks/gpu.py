"""Whole fits on a GPU, as typed: MNIST and the 10,000 of CIFAR-10 in turn, or a fold of hippocampus.

Compilation is part of the seconds. Both may run side by side: they share the GPU, so each would be quicker alone.
Usage: python benchmarks/gpu.py images [SECONDS [SEEDS]] (or volumes [SECONDS [FOLD]])
"""

import sys

from fits import fit
from result import write
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


def volumes(seconds: int = 600, fold: int = 0) -> None:
    """The same figures as on processors (segmentation.py)."""
    write(
        f"gpu_hippocampus_{seconds}s",
        f"fieldcraft fit --budget {seconds}s on one GPU, hippocampus, fold {fold}",
        one_fit("hippocampus", seconds, fold, None),
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
