"""Test Dice of `fieldcraft fit` and of MONAI's tutorial loop after equal seconds, on folds of hippocampus.

Every second epoch the loop looks at as many validation cases as fieldcraft holds back, and keeps the best. Beside the
tutorial's rate ten times as much is tried, for fairness, and the better of both on validation counts as well.
Usage: python benchmarks/segmentation_monai.py [SECONDS [FOLD...]]
"""

import json
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from fits import on_core, side_by_side
from monai_tutorial import RATE, Tutorial, listed, prepared
from result import summary, write
from segmentation import one_fit
from segmentation_sets import hippocampus

VALIDATION = 31
"""Cases of the training part, as many as fieldcraft holds back."""
RATES = (RATE, 10 * RATE)
VALIDATE_EVERY = 2


def train_tutorial(folder: Path, seconds: float, rate: float) -> dict[str, object]:
    """For so many seconds, everything counted but the look at the test part; the best epoch on validation is kept."""
    began = time.perf_counter()
    cases = listed(folder, "Tr")
    order = np.random.default_rng(0).permutation(len(cases))
    held, rest = ([cases[one] for one in rows] for rows in (order[:VALIDATION], order[VALIDATION:]))
    loop, held_back = Tutorial(rest, rate), prepared(held, training=False)
    best, kept, steps, validation_s = -1.0, None, 0, 0.0
    while time.perf_counter() - began + validation_s < seconds:
        ended = loop.step()
        steps += not ended
        if ended and loop.epochs % VALIDATE_EVERY == 0:
            start = time.perf_counter()
            mean = float(np.mean(list(loop.dice(held_back).values())))
            validation_s = time.perf_counter() - start
            if mean > best:
                best, kept = mean, {name: value.clone() for name, value in loop.net.state_dict().items()}
    mean = float(np.mean(list(loop.dice(held_back).values())))
    if kept is not None and mean <= best:
        loop.net.load_state_dict(kept)
    return {
        "rate": rate, "steps": steps, "epochs": loop.epochs, "validation": max(best, mean),
        "cases": loop.dice(prepared(listed(folder, "Ts"), training=False)), "seconds": seconds,
    }  # fmt: skip


def at_equal_seconds(seconds: int, folds: list[int]) -> None:
    """All trainings of all folds, each on one core; the result is written at the end."""
    tasks = [partial(one_fit, "hippocampus", seconds, fold) for fold in folds]
    for rate in RATES:
        tasks += [partial(_alone, seconds, fold, rate) for fold in folds]
    done = list(side_by_side(tasks))
    ours, theirs = (
        done[: len(folds)],
        [done[first : first + len(folds)] for first in range(len(folds), len(done), len(folds))],
    )
    better = [max(sides, key=lambda one: one["validation"]) for sides in zip(*theirs, strict=True)]
    pairs = {"tutorial": _paired(ours, theirs[0]), "better rate": _paired(ours, better)}
    write(
        f"segmentation_monai_{seconds}s",
        f"test Dice on hippocampus after {seconds} s on one core: fieldcraft fit against MONAI's tutorial, paired over "
        f"cases of folds {', '.join(map(str, folds))}; a training a side and fold: what another "
        "seed would do is in no interval",
        {
            "fieldcraft": summary([one for one, _ in pairs["tutorial"]]),
            **{f"monai, {name}": summary([one for _, one in both]) for name, both in pairs.items()},
            **{f"gain over monai, {name}": summary([a - b for a, b in both]) for name, both in pairs.items()},
            "each": {
                "fieldcraft": dict(zip(map(str, folds), ours, strict=True)),
                "monai": {str(rate): sides for rate, sides in zip(RATES, theirs, strict=True)},
            },
        },
    )


def _alone(seconds: int, fold: int, rate: float, core: int) -> dict:
    """A training of the tutorial in a process of its own."""
    said = subprocess.run(
        [*on_core(core), sys.executable, __file__, "train", str(seconds), str(fold), str(rate)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(said.stdout.splitlines()[-1])


def _train(seconds: float, fold: int, rate: float) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps(train_tutorial(hippocampus(fold, Path(scratch) / "hippocampus"), seconds, rate)))


def _paired(ours: list[dict], theirs: list[dict]) -> list[tuple[float, float]]:
    """Dice of both of each test case of each fold."""
    return [
        (mine["cases"][case], value)
        for mine, other in zip(ours, theirs, strict=True)
        for case, value in other["cases"].items()
    ]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["train", seconds, fold, rate]:
            _train(float(seconds), int(fold), float(rate))
        case [seconds, *folds]:
            at_equal_seconds(int(seconds), list(map(int, folds)) or [0, 1])
        case _:
            at_equal_seconds(300, [0, 1])
