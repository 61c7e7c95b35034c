"""Training throughput: our batches, optimiser, layout and precision against the tutorial loop, same network, in turn.

The tutorial side: fp32, NCHW, per-sample PIL crop and flip through a DataLoader, SGD. Ours: batched augmentation and
fused SGD, channels last, in fp32 and (with bf16 units) bf16, plain and compiled; a plan takes what its own timing finds
fastest. What train/loop.py adds a step is in loop_overhead.py. Each side lives in a process of its own and sleeps while
another one steps: `fieldcraft fit` starts with settings of the allocator (cli/restart.py), a tutorial does not.
With `avx2` all sides keep to AVX2, as on a processor without bf16 units (a mock: caches and memory stay what they are).
Usage: python benchmarks/throughput.py [ROUNDS [avx2]]
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch.nn import functional

from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.cli.restart import SETTINGS
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
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1",
}  # fmt: skip
"""What keeps PyTorch, oneDNN, MKL and the compiler to it; kernels cached for wider registers count wrongly there."""


def network(plan: ResNet) -> torch.nn.Module:
    return build_network(
        plan, shape=(3, 32, 32), outputs=10, initialisation=Initialisation(), seed=0, name="throughput"
    )


def tutorial_steps(plan: ResNet, pixels: np.ndarray, labels: np.ndarray) -> Iterator[None]:
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


def our_steps(plan: ResNet, pixels: np.ndarray, labels: np.ndarray, execution: Execution) -> Iterator[None]:
    machine = engine(execution)
    net = machine.place(network(plan))
    optimiser = build_optimiser(net, Sgd(), 0.01)
    called, optimiser = machine.set_up(net, optimiser, sys.exit)
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
            loss = functional.cross_entropy(called(batch.inputs).float(), batch.targets)
        loss.backward()
        optimiser.step()
        step += 1
        yield


def side(name: str, kind: str) -> None:
    """Take STEPS steps whenever a line comes in, and print the milliseconds that one took."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (SAMPLES, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, 10, SAMPLES)
    if kind == "tutorial":
        steps = tutorial_steps(NETS[name], pixels, labels)
    else:
        precision, _, compiled = kind.removeprefix("ours_").partition("_")
        execution = Execution(
            precision="bf16" if precision == "bf16" else "fp32", channels_last=True, compile=bool(compiled),
            threads=len(os.sched_getaffinity(0)), flush_denormals=True,
        )  # fmt: skip
        steps = our_steps(NETS[name], pixels, labels, execution)
    for _ in range(3):
        next(steps)
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(STEPS):
            next(steps)
        print(1000 * (time.perf_counter() - began) / STEPS, flush=True)


class Side:
    """A process that steps when it is asked to."""

    def __init__(self, name: str, kind: str, more: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--side", name, kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **more, **({} if kind == "tutorial" else SETTINGS)},
        )  # fmt: skip
        assert self._line() == "ready"

    def ms_a_step(self) -> float:
        """Of the next STEPS steps."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def main(rounds: int = 12, isa: str = "") -> None:
    facts = machine_facts()
    bf16 = facts.bf16 and not isa
    more = AVX2 if isa else {}
    kinds = ["tutorial", "ours_fp32", "ours_fp32_compiled"] + (["ours_bf16", "ours_bf16_compiled"] if bf16 else [])
    measured = {"bf16_units": facts.bf16, "kept_to": isa or None}
    for name in NETS:
        # One after the other: each is warm before the next starts.
        sides = {kind: Side(name, kind, more) for kind in kinds}
        times: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(rounds):
            for kind, one in sides.items():
                times[kind].append(one.ms_a_step())
        for one in sides.values():
            one.process.kill()
        measured[name] = {f"{kind}_ms_a_step": summary(values) for kind, values in times.items()}
        for kind in kinds[1:]:
            ratios = [a / b for a, b in zip(times["tutorial"], times[kind], strict=True)]
            measured[name][f"{kind}_speed_up"] = summary(ratios)
        print(name, {kind: round(float(np.median(values)), 1) for kind, values in times.items()}, file=sys.stderr)
    write(
        f"throughput_as_{isa}" if isa else "throughput" if bf16 else "throughput_without_bf16",
        "training steps of batch 128 at 32x32 RGB, sides in turn; speed-ups are paired ratios",
        measured,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--side"]:
        side(*sys.argv[2:])
    else:
        main(*map(int, sys.argv[1:2]), *sys.argv[2:])
