"""What usual operations take on this machine: a table of reference steps, measured once and kept.

Forward and backward pass of a convolution, a depthwise convolution, a matrix product, a recurrent layer and
attention, in single precision and bfloat16, in both layouts where there are two, on one thread and on all. What a run
uses is timed on its own network; this table says what to expect of a machine, and where it is slow.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import torch
from pydantic import TypeAdapter
from torch import Tensor, nn
from torch.nn import functional

from fieldcraft.errors import RunError
from fieldcraft.fingerprint.step_time import interleaved
from fieldcraft.records.facts import MachineFacts, ReferenceStep
from fieldcraft.records.files import read_json, write_json

LIMIT_S = 10.0
BATCH, CHANNELS, SIDE = 32, 64, 32
"""Of the convolutions: images, channels in and out, pixels a side."""
WIDE = 1024
"""Of the matrix product: rows, columns and inner length."""
STEPS, UNITS = 32, 128
"""Of the recurrent layer, for BATCH sequences."""
TOKENS, HEADS, PER_HEAD = 256, 4, 32
"""Of attention, for BATCH / 4 sequences."""

Operation = Literal["convolution", "depthwise", "matrix-product", "recurrent", "attention"]
OPERATIONS: tuple[Operation, ...] = ("convolution", "depthwise", "matrix-product", "recurrent", "attention")
MACS: dict[Operation, int] = {
    "convolution": BATCH * SIDE * SIDE * CHANNELS * CHANNELS * 9,
    "depthwise": BATCH * SIDE * SIDE * CHANNELS * 9,
    "matrix-product": WIDE**3,
    "recurrent": BATCH * STEPS * 4 * UNITS * 2 * UNITS,
    "attention": 2 * (BATCH // 4) * HEADS * TOKENS * TOKENS * PER_HEAD,
}
"""Multiply-adds of a forward pass."""


@dataclass(frozen=True)
class Setting:
    """How one step is run."""

    operation: Operation
    device: Literal["cpu", "cuda"]
    precision: Literal["fp32", "bf16"]
    channels_last: bool
    threads: int


def settings(machine: MachineFacts) -> Iterator[Setting]:
    """Every setting that this machine has, the plainest first."""
    device: Literal["cpu", "cuda"] = "cuda" if machine.gpu else "cpu"
    threads = (1,) if device == "cuda" or machine.cores == 1 else (1, machine.cores)
    precisions: tuple[Literal["fp32", "bf16"], ...] = ("fp32", "bf16") if machine.bf16 else ("fp32",)
    for count in threads:
        for operation in OPERATIONS:
            for precision in precisions:
                for last in (False, True) if operation in ("convolution", "depthwise") else (False,):
                    yield Setting(operation, device, precision, last, count)


def reference_steps(machine: MachineFacts, *, limit_s: float = LIMIT_S) -> tuple[ReferenceStep, ...]:
    """Measure the table, within about `limit_s` seconds; threads and random numbers are left as they were."""
    wanted = {str(setting): setting for setting in settings(machine)}
    before = torch.get_num_threads()
    try:
        with torch.random.fork_rng(devices=[]):
            times = interleaved({key: _step(setting) for key, setting in wanted.items()}, limit_s=limit_s)
    finally:
        torch.set_num_threads(before)
    return tuple(
        ReferenceStep(
            operation=setting.operation, device=setting.device, precision=setting.precision,
            channels_last=setting.channels_last, threads=setting.threads, ms=times[key].value,
            gflops=3 * 2 * MACS[setting.operation] / (times[key].value * 1e6),
        )
        for key, setting in wanted.items()
        if key in times
    )  # fmt: skip


def _step(setting: Setting) -> Callable[[], None]:
    device = torch.device(setting.device)
    forward, inputs = _operation(setting, device)

    def step() -> None:
        torch.set_num_threads(setting.threads)
        with torch.autocast(setting.device, torch.bfloat16, enabled=setting.precision == "bf16"):
            result = forward(inputs)
        result.float().sum().backward()  # type: ignore[no-untyped-call]
        if setting.device == "cuda":
            torch.cuda.synchronize()

    return step


def _operation(setting: Setting, device: torch.device) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    match setting.operation:
        case "convolution" | "depthwise":
            groups = CHANNELS if setting.operation == "depthwise" else 1
            layout = torch.channels_last if setting.channels_last else torch.contiguous_format
            layer = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, groups=groups, bias=False, device=device)
            images = torch.randn(BATCH, CHANNELS, SIDE, SIDE, device=device).to(memory_format=layout)
            return layer.to(memory_format=layout), images.requires_grad_()
        case "matrix-product":
            return nn.Linear(WIDE, WIDE, bias=False, device=device), torch.randn(
                WIDE, WIDE, device=device
            ).requires_grad_()
        case "recurrent":
            cell = nn.LSTM(UNITS, UNITS, batch_first=True, device=device)
            return lambda series: cell(series)[0], torch.randn(BATCH, STEPS, UNITS, device=device).requires_grad_()
        case "attention":
            tokens = torch.randn(BATCH // 4, HEADS, TOKENS, PER_HEAD, device=device).requires_grad_()
            return _attend, tokens


def _attend(tokens: Tensor) -> Tensor:
    return functional.scaled_dot_product_attention(tokens, tokens, tokens)


# ---------------------------------------------------------------- kept for this machine


def kept_steps(machine: MachineFacts, cache: Path) -> tuple[ReferenceStep, ...]:
    """The table as it was measured on this machine before; empty when it was not, or cannot be read."""
    try:
        document = read_json(_file(machine, cache), "reference-steps")
        return TypeAdapter(tuple[ReferenceStep, ...]).validate_python(document["steps"])
    except (RunError, KeyError, ValueError):
        return ()


def keep_steps(steps: tuple[ReferenceStep, ...], machine: MachineFacts, cache: Path) -> None:
    """Keep the table for this machine. Raises: RunError when the cache cannot be written."""
    body = TypeAdapter(tuple[ReferenceStep, ...]).dump_python(steps, mode="json")
    write_json(_file(machine, cache), "reference-steps", {"steps": body})


def _file(machine: MachineFacts, cache: Path) -> Path:
    """A name that changes with all that step times depend on."""
    what = (
        machine.processor, machine.cores, machine.instruction_sets, machine.gpu, machine.tuned_start,
        torch.__version__, MACS,
    )  # fmt: skip
    return cache / "machines" / f"{blake2b(repr(what).encode(), digest_size=12).hexdigest()}.json"
