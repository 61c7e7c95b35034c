"""Memory of training steps on patches: predicted from shapes, against how much the process really grew.

Each setting runs in a process of its own: one step on tiny patches (kernels are made, libraries are loaded), then two
steps on the patches. Predicted is with what precision and loss keep on tiny patches; plans are bounded without that, as
in single precision. Grown: the largest resident memory above what it was between the two. Usage:
python benchmarks/patch_memory.py
"""

import json
import resource
import subprocess
import sys

import psutil
import torch
from torch import nn
from torch.nn import functional

from fieldcraft.data.loader import Batch
from fieldcraft.nn.losses.overlap import Dice
from fieldcraft.nn.networks.unet import UNet
from fieldcraft.plan.schema import Execution
from fieldcraft.regimes.supervised import Supervised
from fieldcraft.train.engine import Engine, engine
from fieldcraft.train.memory import predict
from fieldcraft.train.patch_memory import GRADIENTS, PatchMemory
from result import write

MIB = 2**20
SETTINGS: dict[str, tuple[dict[str, object], tuple[int, ...], int, str, bool]] = {
    "3-D w16 instance": ({"spatial": 3, "widths": (16, 32, 64, 128)}, (40, 56, 40), 2, "fp32", False),
    "3-D w16 instance, bf16": ({"spatial": 3, "widths": (16, 32, 64, 128)}, (40, 56, 40), 2, "bf16", False),
    "3-D w16 instance, bf16, channels last": (
        {"spatial": 3, "widths": (16, 32, 64, 128)}, (40, 56, 40), 2, "bf16", True,
    ),
    "2-D w32 instance": ({"spatial": 2, "widths": (32, 64, 128, 256)}, (256, 256), 4, "fp32", False),
    "1-D w32": ({"spatial": 1, "widths": (32, 64, 128)}, (16384,), 8, "fp32", False),
}  # fmt: skip
dice = Dice()


def loss(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(logits, mask) + dice(logits, mask)


def batch(patch: tuple[int, ...], count: int) -> Batch:
    return Batch(torch.randn(count, 1, *patch), torch.randint(0, 3, (count, *patch)), torch.arange(count))


def kept_here(net: nn.Module, tiny: tuple[int, ...], made: Engine) -> tuple[float, float]:
    """Of a precision and a loss: what each patch keeps, as a share of the shapes', and what all keep once, in MiB."""
    regime = Supervised(loss)
    one, two = (predict(net, regime, batch(tiny, count), made).sample_mib / 2 * count for count in (1, 2))
    each = two - one
    return each / PatchMemory(net=net, channels=1).kept_mib(tiny), max(0.0, one - each)


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name: str) -> dict[str, float]:
    given, patch, count, precision, last = SETTINGS[name]
    made = engine(Execution(precision=precision, channels_last=last, threads=1))
    net: nn.Module = made.place(UNet(1, 3, **given))
    optimiser = torch.optim.AdamW(net.parameters())
    regime = Supervised(loss)

    def step(patches: Batch) -> None:
        with made.precision():
            total = regime.step(net, patches).total
        made.backward(total)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    tiny = (16,) * len(patch)
    predicted = PatchMemory(net=net, channels=1)
    share, once = kept_here(net, tiny, made)
    step(batch(tiny, 2))
    before = psutil.Process().memory_info().rss / MIB
    patches = batch(patch, count)
    for _ in range(2):
        step(patches)
    kept = count * share * predicted.kept_mib(patch)
    expected = predicted.fixed_mib + once + GRADIENTS * kept
    grown = peak_mib() - before
    return {
        "kept_mib": kept,
        "predicted_mib": expected,
        "grown_mib": grown,
        "grown_by_predicted": grown / expected,
        "share_of_single_precision": share,
    }


def main() -> None:
    found = {}
    for name in SETTINGS:
        done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=True)
        found[name] = json.loads(done.stdout.splitlines()[-1])
        print(name, found[name], file=sys.stderr)
    write(
        "patch_memory", "memory of a training step on patches: predicted, and what the process grew by, in MiB", found
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
    else:
        main()
