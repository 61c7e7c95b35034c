"""Training throughput: our batches, optimiser, layout and precision against the tutorial loop, same network, in turn.

The tutorial side: fp32, NCHW, per-sample PIL crop and flip through a DataLoader, SGD. Ours: batched augmentation and
fused SGD, channels last, in fp32 and (with bf16 units) bf16; what train/loop.py adds a step is in loop_overhead.py.
Usage: python benchmarks/throughput.py [ROUNDS]
"""

import sys
import time

import numpy as np
import torch
from torch.nn import functional

from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.data.loader import Batches
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.plan.schema import Augment, Execution, Initialisation, ResNet, Sgd
from fieldcraft.train.engine import engine
from result import summary, write
from tutorial import PerSample

NETS = {
    "thin-resnet18": ResNet(widths=(16, 32, 64, 128), depths=(2, 2, 2, 2), downsample="stride"),
    "resnet9": ResNet(widths=(32, 64, 128, 256), depths=(0, 1, 0, 1)),
}
BATCH, SAMPLES, STEPS = 128, 4096, 6


def network(plan: ResNet) -> torch.nn.Module:
    return build_network(
        plan, shape=(3, 32, 32), outputs=10, initialisation=Initialisation(), seed=0, name="throughput"
    )


def tutorial_steps(plan: ResNet, pixels: np.ndarray, labels: np.ndarray):
    net = network(plan)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    data = PerSample(pixels, labels, augment=True, flip=True)
    loader = torch.utils.data.DataLoader(data, batch_size=BATCH, shuffle=True, drop_last=True)
    while True:
        for inputs, targets in loader:
            optimiser.zero_grad()
            functional.cross_entropy(net(inputs), targets).backward()
            optimiser.step()
            yield


def our_steps(plan: ResNet, pixels: np.ndarray, labels: np.ndarray, execution: Execution):
    machine = engine(execution)
    net = machine.place(network(plan))
    optimiser = build_optimiser(net, Sgd(), 0.01)
    batches = Batches.of_images(
        pixels, np.arange(len(pixels)), torch.from_numpy(labels), mean=(120.0,) * 3, std=(60.0,) * 3,
        augment=Augment(crop_px=4, flip_horizontal=True), batch=BATCH, device=machine.device,
        channels_last=execution.channels_last, seed=0, name="throughput",
    )  # fmt: skip
    step = 0
    while True:
        batch = batches.training_batch(step)
        optimiser.zero_grad(set_to_none=True)
        with machine.precision():
            loss = functional.cross_entropy(net(batch.inputs).float(), batch.targets)
        loss.backward()
        optimiser.step()
        step += 1
        yield


def main(rounds: int = 12) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (SAMPLES, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, 10, SAMPLES)
    facts = machine_facts()
    measured = {"bf16_units": facts.bf16}
    for name, plan in NETS.items():
        sides = {
            "tutorial": tutorial_steps(plan, pixels, labels),
            "ours_fp32_nhwc": our_steps(plan, pixels, labels, Execution(threads=facts.cores, channels_last=True)),
        }
        if facts.bf16:
            execution = Execution(threads=facts.cores, channels_last=True, precision="bf16")
            sides["ours_bf16_nhwc"] = our_steps(plan, pixels, labels, execution)
        times = {side: [] for side in sides}
        for one in sides.values():
            next(one)
        for _ in range(rounds):
            for side, one in sides.items():
                began = time.perf_counter()
                for _ in range(STEPS):
                    next(one)
                times[side].append(1000 * (time.perf_counter() - began) / STEPS)
        measured[name] = {f"{side}_ms_a_step": summary(values) for side, values in times.items()}
        for side in list(sides)[1:]:
            ratios = [a / b for a, b in zip(times["tutorial"], times[side], strict=True)]
            measured[name][f"{side}_speed_up"] = summary(ratios)
        print(name, {side: round(float(np.median(values)), 1) for side, values in times.items()}, file=sys.stderr)
    write(
        "throughput" if facts.bf16 else "throughput_without_bf16",
        "training steps of batch 128 at 32x32 RGB, sides in turn; speed-ups are paired ratios",
        measured,
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
