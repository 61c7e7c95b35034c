"""Symmetry facts on real and made-up sets: every decision, seed by seed, beside what was expected beforehand.

Margin and rule were fixed while looking at the training parts of MNIST, CIFAR-10 and PneumoniaMNIST and at made-up
sets; digits, USPS and office_caltech judge them (upsampling of tiny images came in after a look at digits). Only
training parts are looked at. Seconds are those of the processor, on one thread, as other programs may run beside.
Usage: python benchmarks/symmetry.py [SEEDS] [LIMIT_S] [WORKERS]
"""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import get_args

import numpy as np
import torch

from fieldcraft.data.dataset import Dataset, ImageArray
from fieldcraft.data.images import load_image
from fieldcraft.data.open import open_data
from fieldcraft.data.splits import part
from fieldcraft.fingerprint.symmetry import KEPT, MARGIN, symmetry
from fieldcraft.plan.schema import Splits
from fieldcraft.records.deep_facts import Transform
from result import summary, write

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.fingerprint.made_up_images import ALL as MADE_UP  # noqa: E402

DATA = Path(os.environ.setdefault("FIELDCRAFT_DATA", str(ROOT.parent / "shared" / "data")))
FIRST_SEED = 10
"""Seeds below it were used while the rule was made."""
MADE_UP_SAMPLES, MADE_UP_S = 1000, 3
UPRIGHT = {"flip-horizontal": "no", "flip-vertical": "no", "quarter-turns": "no"}
DIGITS = {**UPRIGHT, "rotation": "yes", "translation": "yes", "scale": "yes"}
OBJECTS = {
    "flip-horizontal": "yes",
    "flip-vertical": "no",
    "quarter-turns": "no",
    "gray": "yes",
    "contrast": "yes",
}
CHEST = {"flip-vertical": "no", "quarter-turns": "no", "brightness": "yes", "contrast": "yes"}


Run = tuple[dict[str, dict[str, object]], float, str]


@dataclass(frozen=True, eq=False)
class Case:
    """Training samples of one set, and what is expected of it."""

    name: str
    pixels: np.ndarray
    labels: np.ndarray
    expected: Mapping[str, str]


def real() -> list[Case]:
    """Training parts by fieldcraft's own readers; the four domains of office_caltech together and alone."""
    office = [
        case(f"office_caltech/{name}", DATA / "office_caltech" / "images" / name, OBJECTS)
        for name in ("amazon", "caltech10", "webcam", "dslr")
    ]
    side = min(min(one.pixels.shape[1:3]) for one in office)
    together = Case(
        "office_caltech, all domains",
        np.concatenate([one.pixels[:, :side, :side] for one in office]),
        np.concatenate([one.labels for one in office]),
        OBJECTS,
    )
    return [
        case("mnist", "mnist", DIGITS),
        case("cifar10", "cifar10", OBJECTS),
        case("pneumoniamnist", DATA / "pneumoniamnist" / "pneumoniamnist.npz", CHEST),
        case("digits", "digits", DIGITS),
        case("usps", DATA / "usps" / "usps.npz", DIGITS),
        together,
        *office,
    ]


def case(name: str, source: str | Path, expected: Mapping[str, str]) -> Case:
    dataset = open_data(source)
    rows = part(dataset, Splits(), 0).train
    return Case(name, pixels_of(dataset, rows), dataset.targets.values[rows].astype(np.int64), expected)


def pixels_of(dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    """(rows, h, w, c); files at the median size."""
    inputs = dataset.inputs
    if isinstance(inputs, ImageArray):
        return np.asarray(inputs.pixels[rows])
    height, width = (int(np.median(inputs.sizes[:, axis])) for axis in (0, 1))
    return np.stack(
        [
            load_image(inputs.paths[row], height=height, width=width, channels=inputs.channels, depth_bits=8)
            for row in rows
        ]
    )


def made_up() -> list[Case]:
    cases = []
    for one in MADE_UP:
        pixels, labels = one.sample(MADE_UP_SAMPLES, FIRST_SEED)
        known = Case(f"made up: {one.name}", pixels, labels, {})
        cases.append(
            replace(known, expected={name: "no" if name in one.lost else "yes" for name in get_args(Transform)})
        )
    return cases


def measured(one: Case, seed: int, limit_s: float) -> Run:
    """Each change with its numbers, the seconds of the processor, and what was looked at."""
    began = time.process_time()
    fact = symmetry(one.pixels, one.labels, None, seed=seed, limit_s=limit_s, clock=time.process_time)
    seconds = time.process_time() - began
    if fact is None:
        return {}, seconds, "too little time or too few samples"
    found = {
        s.transform: {
            "survives": s.survives,
            "gain_points": round(100 * s.gain, 2),
            "interval_90": [round(100 * s.low, 2), round(100 * s.high, 2)],
            "margin_points": round(100 * s.margin, 2),
            "kept": None if s.kept is None else round(s.kept, 3),
        }
        for s in fact.value
    }
    return found, seconds, f"{fact.sample}; {fact.method}"


def report(one: Case, runs: Sequence[Run]) -> dict[str, object]:
    table = {}
    for name in dict.fromkeys(name for found, _, _ in runs for name in found):
        cells = [found[name] for found, _, _ in runs if name in found]
        table[name] = {
            "expected": one.expected.get(name),
            "survives": [cell["survives"] for cell in cells],
            **{key: [cell[key] for cell in cells] for key in ("gain_points", "interval_90", "margin_points", "kept")},
        }
    asked = [(cell["expected"], said) for cell in table.values() if cell["expected"] for said in cell["survives"]]
    counts = {
        "right": sum(expected == said for expected, said in asked),
        "open": sum(said == "cannot-tell" for _, said in asked),
        "wrong": sum(said not in (expected, "cannot-tell") for expected, said in asked),
    }
    return {
        "samples": len(one.labels),
        "shape": list(one.pixels.shape[1:]),
        "cells": counts,
        "processor_seconds": summary([seconds for _, seconds, _ in runs]),
        "looked_at": [text for _, _, text in runs],
        "changes": table,
    }


def alone() -> None:
    """One thread a worker."""
    torch.set_num_threads(1)


def main(seeds: int = 3, limit_s: int = 15, workers: int = 1) -> None:
    alone()
    cases = [(one, limit_s) for one in real()] + [(one, MADE_UP_S) for one in made_up()]
    found = {}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=alone) as pool:
        started = [
            (one, [pool.submit(measured, one, FIRST_SEED + seed, limit) for seed in range(seeds)])
            for one, limit in cases
        ]
        for one, runs in started:
            found[one.name] = report(one, [run.result() for run in runs])
            print(f"{one.name}: {found[one.name]['cells']}", file=sys.stderr, flush=True)
    total = {key: sum(one["cells"][key] for one in found.values()) for key in ("right", "open", "wrong")}
    write(
        f"symmetry_{limit_s}s",
        "decisions of the symmetry facts against what was expected; cells are changes times seeds",
        {"limit_s": limit_s, "seeds": seeds, "margin_deviations": MARGIN, "kept": KEPT, "cells": total, "sets": found},
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
