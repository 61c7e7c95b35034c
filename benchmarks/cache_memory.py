"""Training from a memory-mapped cache that is larger than the memory allowed for images: peak resident memory.

Makes COUNT colour PNGs of 96x96 px in a scratch folder (about 27 KB a decoded image), decodes them once with room for
64 MiB, and trains a small network over all of them; the same with everything in memory stands beside it.
Usage: python benchmarks/cache_memory.py [COUNT]
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from result import write

ROOM_MIB = 64
STEPS, BATCH = 300, 128

CHILD = """
import json, resource, sys, time
from pathlib import Path
import numpy as np, torch
from torch.nn import functional
from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.data.loader import Batches
from fieldcraft.data.memory import decode
from fieldcraft.data.open import open_data
from fieldcraft.plan.schema import Augment, Cnn, Initialisation, Sgd

def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

folder, cache, room, steps, batch = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), *map(int, sys.argv[4:6])
torch.set_num_threads(2)
data = open_data(folder)
before = peak()
began = time.perf_counter()
pixels = decode(data, height=96, width=96, cache=cache, room_mib=room).pixels
decoded = time.perf_counter() - began
net = build_network(Cnn(widths=(8, 16, 32)), shape=(3, 96, 96), outputs=2, initialisation=Initialisation(), seed=0,
                    name="cache")
optimiser = build_optimiser(net, Sgd(), 0.01)
batches = Batches.of_images(pixels, np.arange(len(data)), torch.from_numpy(data.targets.values), mean=(120.0,) * 3,
    std=(60.0,) * 3, augment=Augment(crop_px=4, flip_horizontal=True), batch=batch, device=torch.device("cpu"),
    channels_last=True, seed=0, name="cache")
began = time.perf_counter()
for step in range(steps):
    found = batches.training_batch(step)
    optimiser.zero_grad()
    functional.cross_entropy(net(found.inputs), found.targets).backward()
    optimiser.step()
trained = time.perf_counter() - began
print(json.dumps({
    "mapped": isinstance(pixels, np.memmap), "images_mib": pixels.nbytes / 2**20, "decode_s": decoded,
    "ms_a_step": 1000 * trained / steps, "peak_rss_before_mib": before, "peak_rss_mib": peak(),
    "rows_seen": steps * batch}))
"""


def main(count: int = 30_000) -> None:
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "images"
        for label in ("a", "b"):
            (folder / label).mkdir(parents=True)
        for index in range(count):
            low = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
            image = Image.fromarray(low).resize((96, 96), Image.Resampling.BILINEAR)
            image.save(folder / "ab"[index % 2] / f"{index:06}.png", compress_level=1)
        measured = {}
        for name, room in (("mapped", ROOM_MIB), ("in_memory", 10**6)):
            command = [sys.executable, "-c", CHILD, str(folder), str(Path(scratch) / "cache"), str(room)]
            done = subprocess.run([*command, str(STEPS), str(BATCH)], check=True, capture_output=True, text=True)
            measured[name] = json.loads(done.stdout.splitlines()[-1])
            print(name, measured[name], file=sys.stderr)
    measured["allowed_mib"] = ROOM_MIB
    write("cache_memory", f"{count:,} images of 96x96x3; one run each; peak resident memory of the process", measured)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
