"""Images a second of our loop against a compiled loop written by hand, same network and same work, in turn.

Both sides: images of 32 x 32 px as bytes on the device, random crop and flip there, bf16 where the device has it,
channels last, torch.compile, cross-entropy, fused SGD, weight averaging; the loss is read every ten steps. Ours is
`train.loop.train` as a run has it (rates, watcher, snapshots, journal), without validation. The hand-written blocks run
between ours, from a hook that is called when the device is done, so that both see the same machine.
Also: our loop as it is without compilation. Usage: python benchmarks/gpu_throughput.py [NET] [BATCH] [BLOCKS] [STEPS]
NET: resnet9 (default), thin-resnet18 or tiny. On a CPU: python benchmarks/gpu_throughput.py tiny 32 2 10
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.data.loader import Batches
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.nn.losses.modules import CrossEntropy
from fieldcraft.plan.schema import Augment, Execution, Initialisation, OneCycle, ResNet, Sgd
from fieldcraft.records.training import Look
from fieldcraft.regimes.supervised import Supervised
from fieldcraft.train.clock import Clock
from fieldcraft.train.course import Course
from fieldcraft.train.engine import engine
from fieldcraft.train.hooks.interface import Trained, Validated
from fieldcraft.train.journal import Journal
from fieldcraft.train.loop import LOOK_EVERY, Job, Surroundings, train
from result import summary, write

NETS = {
    "resnet9": ResNet(widths=(64, 128, 256, 512), depths=(0, 1, 0, 1)),
    "thin-resnet18": ResNet(widths=(16, 32, 64, 128), depths=(2, 2, 2, 2), downsample="stride"),
    "tiny": ResNet(widths=(8, 16), depths=(0, 1)),
}
SAMPLES, CLASSES, CROP, DECAY = 50_000, 10, 4, 0.999
MEAN, STD = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)


def by_hand(plan: ResNet, pixels: np.ndarray, labels: np.ndarray, batch: int, execution: Execution) -> Iterator[None]:
    """The next LOOK_EVERY steps each time, the device done with them."""
    device = torch.device(execution.device)
    images = torch.from_numpy(pixels).to(device)
    targets = torch.from_numpy(labels).to(device)
    mean, std = (torch.tensor(one, device=device).view(1, 3, 1, 1) for one in (MEAN, STD))
    net = network(plan).to(device).to(memory_format=torch.channels_last)
    kept = [weight.detach().clone() for weight in net.state_dict().values() if weight.is_floating_point()]
    live = [weight for weight in net.state_dict().values() if weight.is_floating_point()]
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True, fused=True)
    # The option as ours has it, though nothing is random here: the second side is compiled from the first one's cache.
    called = torch.compile(net, dynamic=False, options={"fallback_random": True})
    losses: list[Tensor] = []
    while True:
        order = torch.randperm(len(images), device=device)
        for first in range(0, len(images) - batch + 1, batch):
            rows = order[first : first + batch]
            inputs = cropped(images[rows].permute(0, 3, 1, 2).float().sub(mean).div(std))
            optimiser.zero_grad(set_to_none=True)
            with torch.autocast(device.type, torch.bfloat16, enabled=execution.precision == "bf16"):
                loss = functional.cross_entropy(called(inputs).float(), targets[rows])
            loss.backward()
            optimiser.step()
            torch._foreach_lerp_(kept, live, 1 - DECAY)
            losses.append(loss.detach())
            if len(losses) == LOOK_EVERY:
                torch.stack(losses).tolist()
                losses.clear()
                yield


def cropped(images: Tensor) -> Tensor:
    """Shifted by up to CROP pixels (reflected at the border) and mirrored, each image by draws of its own."""
    count, _, height, width = images.shape
    padded = functional.pad(images, (CROP,) * 4, mode="reflect")
    y, x = torch.randint(0, 2 * CROP + 1, (2, count, 1), device=images.device)
    down, across = (torch.arange(size, device=images.device) for size in (height, width))
    across = torch.where(torch.rand(count, 1, device=images.device) < 0.5, across.flip(0), across)
    n = torch.arange(count, device=images.device)[:, None, None]
    taken = padded.permute(0, 2, 3, 1)[n, (y + down)[:, :, None], (x + across)[:, None, :]]
    return taken.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


class Turns:
    """Between blocks of our steps it lets the other side take as many, and times both."""

    def __init__(self, other: Iterator[None] | None, block: int) -> None:
        self.other, self.block = other, block
        self.ours: list[float] = []
        self.theirs: list[float] = []
        self.mark = time.perf_counter()
        self.first_s: float | None = None

    def begin(self, rung: str, step: int, end: int) -> None:
        """Ours begins."""
        self.mark = time.perf_counter()

    def trained(self, record: Trained) -> None:
        """The losses were read, so the device is done."""
        now = time.perf_counter()
        if self.first_s is None:
            self.first_s = now - self.mark  # compiling
        elif record.step % self.block:
            return
        elif record.step > self.block:  # the first block is there to warm up
            self.ours.append(now - self.mark)
        if self.other is not None:
            began = time.perf_counter()
            for _ in range(self.block // LOOK_EVERY if record.step > LOOK_EVERY else 1):
                next(self.other)
            if record.step > self.block:
                self.theirs.append(time.perf_counter() - began)
        self.mark = time.perf_counter()

    def validated(self, record: Validated) -> None:
        """Nothing: ours is not validated."""

    def looked(self, look: Look) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


def ours(plan: ResNet, pixels: np.ndarray, labels: np.ndarray, batch: int, execution: Execution, turns: Turns,
         steps: int) -> None:  # fmt: skip
    """Train with our loop; `turns` hears of every tenth step."""
    machine = engine(execution)
    net = machine.place(network(plan))
    batches = Batches.of_images(
        pixels, np.arange(len(pixels)), torch.from_numpy(labels), mean=MEAN, std=STD,
        augment=Augment(crop_px=CROP, flip_horizontal=True), batch=batch, device=machine.device,
        channels_last=execution.channels_last, seed=0, name="throughput",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        job = Job(
            rung="throughput", net=net, optimiser=build_optimiser(net, Sgd(), 0.01),
            regime=Supervised(CrossEntropy(0.0)), batches=batches,
            course=Course(schedule=OneCycle(), planned=steps, peak=0.01), seed=0, decay=DECAY, micro=None,
            validate=None, names=lambda rows: (), classes=CLASSES,
        )  # fmt: skip
        around = Surroundings(
            engine=machine, journal=Journal(folder / "journal.jsonl"), checkpoint=folder / "checkpoint.safetensors",
            hooks=(turns,), clock=Clock(budget_s=None, started=time.monotonic()), reserve_s=0.0, stop=lambda: False,
            say=lambda text: print(text, file=sys.stderr),
        )  # fmt: skip
        train(job, around)


def network(plan: ResNet) -> nn.Module:
    return build_network(
        plan, shape=(3, 32, 32), outputs=CLASSES, initialisation=Initialisation(), seed=0, name="throughput"
    )


def main(name: str = "resnet9", batch: int = 512, blocks: int = 20, block: int = 50) -> None:
    began = time.perf_counter()
    facts, plan = machine_facts(), NETS[name]
    gpu = facts.gpu is not None
    rng = np.random.default_rng(0)
    count = SAMPLES if gpu else 20 * batch
    pixels = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, CLASSES, count)

    def execution(compiled: bool) -> Execution:
        return Execution(
            device="cuda" if gpu else "cpu", precision="bf16" if facts.bf16 else "fp32", channels_last=True,
            threads=1 if gpu else min(facts.cores, 64), compile=compiled,
        )  # fmt: skip

    steps = block * (blocks + 1)
    compiled = Turns(by_hand(plan, pixels, labels, batch, execution(True)), block)
    ours(plan, pixels, labels, batch, execution(True), compiled, steps)
    plain = Turns(None, block)
    ours(plan, pixels, labels, batch, execution(False), plain, block * (blocks // 4 + 2))
    images = batch * block
    rates = {
        "by_hand_compiled": [images / one for one in compiled.theirs],
        "ours_compiled": [images / one for one in compiled.ours],
        "ours_plain": [images / one for one in plain.ours],
    }
    ratios = [a / b for a, b in zip(compiled.theirs, compiled.ours, strict=True)]
    print({side: round(float(np.median(values))) for side, values in rates.items()}, file=sys.stderr)
    write(
        "gpu_throughput" if gpu else "gpu_throughput_on_a_cpu",
        f"images a second in training, {name}, batch {batch}: our loop and a compiled loop by hand, in turn",
        {
            "device": facts.gpu or facts.processor, "cuda": torch.version.cuda, "precision": execution(True).precision,
            "network": name, "batch": batch, "steps_in_a_turn": block,
            **{f"{side}_images_a_second": summary(values) for side, values in rates.items()},
            "ours_over_by_hand": summary(ratios),
            "first_steps_s": compiled.first_s, "whole_s": time.perf_counter() - began,
        },
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:]))
