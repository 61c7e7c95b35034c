"""What our loop costs a step beyond a bare PyTorch loop on the same tensors; Fabric's wrappers listed apart.

Usage: python benchmarks/loop_overhead.py [ROUNDS]
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from torch.nn import functional

from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.data.loader import Batches
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.plan.schema import Constant, Execution, Initialisation, Mlp, ResNet, Sgd
from fieldcraft.regimes.supervised import Supervised
from fieldcraft.train.clock import Clock
from fieldcraft.train.course import Course
from fieldcraft.train.engine import engine
from fieldcraft.train.hooks.metrics_log import MetricsLog
from fieldcraft.train.journal import Journal
from fieldcraft.train.loop import Job, Surroundings, train
from result import summary, write

BATCH = 128
CASES = {"mlp": (Mlp(widths=(256, 256)), (64,), 2000), "resnet": (ResNet(widths=(16, 32, 64)), (3, 32, 32), 30)}


def network(plan, shape):
    return build_network(plan, shape=shape, outputs=10, initialisation=Initialisation(), seed=0, name="overhead")


def bare(plan, shape, steps, inputs, targets) -> float:
    net = network(plan, shape)
    optimiser = build_optimiser(net, Sgd(), 0.01)
    for step in range(steps + 5):
        if step == 5:
            began = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        functional.cross_entropy(net(inputs), targets).backward()
        optimiser.step()
    return 1000 * (time.perf_counter() - began) / steps


def wrapped(plan, shape, steps, inputs, targets) -> float:
    fabric = Fabric(accelerator="cpu", devices=1)
    net = network(plan, shape)
    net, optimiser = fabric.setup(net, build_optimiser(net, Sgd(), 0.01))
    for step in range(steps + 5):
        if step == 5:
            began = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        fabric.backward(functional.cross_entropy(net(inputs), targets))
        optimiser.step()
    return 1000 * (time.perf_counter() - began) / steps


def ours(plan, shape, steps, inputs, targets) -> float:
    machine = engine(Execution(threads=torch.get_num_threads()))
    net = network(plan, shape)
    rows = np.arange(len(inputs))
    if len(shape) == 1:
        batches = Batches.of_features(
            inputs.numpy(), rows, targets, batch=BATCH, device=machine.device, seed=0, name="overhead"
        )
    else:
        pixels = (inputs.permute(0, 2, 3, 1).numpy() * 50 + 128).clip(0, 255).astype(np.uint8)
        batches = Batches.of_images(
            pixels, rows, targets, mean=(128.0,) * 3, std=(50.0,) * 3, augment=None, batch=BATCH,
            device=machine.device, channels_last=False, seed=0, name="overhead",
        )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        job = Job(
            rung="overhead", net=net, optimiser=build_optimiser(net, Sgd(), 0.01),
            regime=Supervised(functional.cross_entropy), batches=batches,
            course=Course(schedule=Constant(), planned=steps, peak=0.01), seed=0, decay=0.0, micro=None,
            validate=lambda net: 0.0, names=lambda rows: (),
        )  # fmt: skip
        around = Surroundings(
            engine=machine, journal=Journal(folder / "journal.jsonl"), checkpoint=folder / "checkpoint.safetensors",
            hooks=(MetricsLog(folder / "metrics.jsonl"),), clock=Clock(budget_s=1e6, started=time.monotonic()),
            reserve_s=0.0, stop=lambda: False, say=lambda text: None,
        )  # fmt: skip
        began = time.perf_counter()
        train(job, around)
        return 1000 * (time.perf_counter() - began) / steps


def main(rounds: int = 15) -> None:
    torch.set_num_threads(machine_facts().cores)
    measured = {}
    for name, (plan, shape, steps) in CASES.items():
        inputs, targets = torch.randn(BATCH * 8, *shape), torch.randint(0, 10, (BATCH * 8,))
        one, label = inputs[:BATCH].contiguous(), targets[:BATCH].contiguous()
        times = {"bare": [], "ours": [], "fabric_wrappers": []}
        for _ in range(rounds):
            times["bare"].append(bare(plan, shape, steps, one, label))
            times["ours"].append(ours(plan, shape, steps, inputs, targets))
            times["fabric_wrappers"].append(wrapped(plan, shape, steps, one, label))
        extra = [a - b for a, b in zip(times["ours"], times["bare"], strict=True)]
        measured[name] = {f"{side}_ms": summary(values) for side, values in times.items()}
        measured[name]["ours_minus_bare_ms"] = summary(extra)
        measured[name]["ours_minus_bare_per_cent"] = summary(
            [100 * a / b for a, b in zip(extra, times["bare"], strict=True)]
        )
        measured[name]["fabric_minus_bare_ms"] = summary(
            [a - b for a, b in zip(times["fabric_wrappers"], times["bare"], strict=True)]
        )
        print(name, {side: round(float(np.median(values)), 3) for side, values in times.items()}, file=sys.stderr)
    write(
        "loop_overhead", "milliseconds a step, batch 128, sides in turn; ours draws a batch, logs, snapshots", measured
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
