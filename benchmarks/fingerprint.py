"""`fieldcraft fingerprint` of 50,000 colour images of 32 x 32 px, as typed: seconds, memory, what each fact saw.

The images: the 10,000 of CIFAR-10 at hand and four copies of each, shifted by up to two pixels, with another brightness
and a little noise. Machine facts are cached from the first run, as they are for a user, whose first command pays for
them once; the first run is listed apart. Usage: python benchmarks/fingerprint.py [RUNS]
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from fieldcraft.data.open import open_data
from fits import DATA
from result import summary, write

COPIES = 4


def jittered(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shifted, brightened or darkened, with noise: none is an exact copy."""
    padded = np.pad(pixels, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    moved = np.empty_like(pixels)
    for place, (y, x) in enumerate(random.integers(0, 5, (len(pixels), 2))):
        moved[place] = padded[place, y : y + pixels.shape[1], x : x + pixels.shape[2]]
    level = random.uniform(-20, 20, (len(pixels), 1, 1, 1))
    return np.clip(moved + level + random.normal(0, 4, moved.shape), 0, 255).astype(np.uint8)


def main(runs: int = 5) -> None:
    data, random = open_data("cifar10"), np.random.default_rng(0)
    rows = np.flatnonzero(data.given != "test")
    pixels, labels = data.inputs.pixels[rows], data.targets.values[rows]
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "images.npz"
        every = [pixels, *(jittered(pixels, random) for _ in range(COPIES))]
        np.savez(file, x=np.concatenate(every), y=np.tile(labels, 1 + COPIES))
        del every
        environment = {**os.environ, "FIELDCRAFT_DATA": str(DATA), "HOME": scratch}
        seconds, facts = [], ""
        for _ in range(runs + 1):
            began = time.perf_counter()
            facts = subprocess.run(
                [sys.executable, "-m", "fieldcraft", "fingerprint", str(file), "--json"], check=True, text=True,
                stdout=subprocess.PIPE, env=environment,
            ).stdout  # fmt: skip
            seconds.append(time.perf_counter() - began)
            print(f"{seconds[-1]:.1f} s", file=sys.stderr)
    write(
        "fingerprint",
        f"wall-clock seconds of `fieldcraft fingerprint` on {len(rows) * (1 + COPIES):,} images of 32 x 32 px",
        {
            "images": len(rows) * (1 + COPIES),
            "first_with_machine_s": seconds[0],
            "seconds": summary(seconds[1:]),
            "peak_memory_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
            "facts": json.loads(facts),
        },
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
