"""Training voxels a second of MONAI's UNet: in the loop of its tutorial, and in ours; same patches, same batch.

Usage: python benchmarks/segmentation_monai_pace.py [ROUNDS]
"""

import math
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from monai.utils import set_determinism

from fieldcraft.build.mask_network import wants
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.plan.masks import MaskLoss, PatchInput, Segmentation
from fieldcraft.plan.schema import AdamW, Batch, Imported, Rung
from fieldcraft.train.engine import engine
from fieldcraft.verbs.masks.rung import mask_regime
from fieldcraft.verbs.measure import training_step
from fieldcraft.verbs.prepare import Wardrobe, prepare
from monai_tutorial import CASES, CROP, CROPS, RATE, Tutorial, listed, monai_unet
from result import summary, write
from segmentation_sets import hippocampus

STEPS = {"cpu": 5, "cuda": 100}
"""Of each side in a turn."""
SETTINGS: dict[str, dict[str, object]] = {
    "channels first": {}, "channels last": {"channels_last": True},
    "channels first, bf16": {"precision": "bf16"}, "channels last, bf16": {"channels_last": True, "precision": "bf16"},
}  # fmt: skip
"""Of our loop; bf16 where the machine has units for it."""


def pace(rounds: int) -> None:
    """Training steps of MONAI's network in both loops, in turn, in one process; random crops, no other change."""
    bf16 = machine_facts().bf16
    device = "cuda" if torch.cuda.is_available() else "cpu"
    steps = STEPS[device]
    with tempfile.TemporaryDirectory() as scratch:
        data = hippocampus(0, Path(scratch) / "hippocampus")
        theirs = Tutorial(listed(data, "Tr"), RATE)
        sides = {"monai": theirs.step} | {
            f"fieldcraft, {name}": _our_step(data, Path(scratch) / "cache", device, settings)
            for name, settings in SETTINGS.items()
            if "precision" not in settings or bf16
        }
        rates: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(rounds + 1):
            for name, step in sides.items():
                began, taken = time.perf_counter(), 0
                while taken < steps:
                    # The end of an epoch is no step.
                    taken += step() is not True
                if turn:  # Both loops have waited for the device: theirs reads each loss, ours synchronises each step.
                    rates[name].append(steps * CASES * CROPS * math.prod(CROP) / (time.perf_counter() - began))
    ratios = {
        f"{name} over monai": summary([a / b for a, b in zip(rates[name], rates["monai"], strict=True)])
        for name in sides
        if name != "monai"
    }
    write(
        "segmentation_monai_pace" + ("_gpu" if device == "cuda" else ""),
        "voxels a second in training: MONAI's UNet, 8 crops of 32 x 48 x 32 a step, in the tutorial's loop and in ours",
        {"threads": torch.get_num_threads(), **{name: summary(each) for name, each in rates.items()}, **ratios},
    )


def _our_step(data: Path, cache: Path, device: str, settings: dict[str, object]) -> Callable[[], object]:
    """The next step of the same network in our loop: patches, Dice, Adam with decay, weight averaging."""
    prepared = prepare(str(data), ReadOptions(), seed=0)
    start = prepared.start
    assert isinstance(start.task, Segmentation)
    plan = replace(
        start,
        task=replace(start.task, loss=MaskLoss(cross_entropy=0.0, dice=1.0)),
        input=PatchInput(channels=1, patch=CROP, foreground=0.5),
        batch=Batch(size=CASES * CROPS),
        optimiser=AdamW(),
        execution=replace(start.execution, threads=torch.get_num_threads(), device=device, **settings),
    )
    samples, machine = Wardrobe(prepared, cache).masks(plan), engine(plan.execution)
    set_determinism(0)
    net = machine.place(monai_unet())
    batches = samples.batches(plan, machine.device, wants(net, 3, own=True), name="pace")
    rung = Rung(name="monai", network=Imported(target="monai.networks.nets:UNet"), steps=1, lr=RATE)
    return training_step(plan, rung, net, batches, machine, mask_regime(plan, samples, net, machine))


if __name__ == "__main__":
    pace(*(int(argument) for argument in sys.argv[1:2] or ["6"]))
